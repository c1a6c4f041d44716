-- Do less processed products have a better Nutri-Score? One row for each grade and NOVA group that occur together.
SELECT
  nutriscore_grade,
  CAST(nova_group AS STRING) AS nova_group,
  count(*) AS products,
  -- Of the products of the same group: the groups differ in size.
  round(100 * count(*) / sum(count(*)) OVER (PARTITION BY nova_group), 1) AS percent,
  sum(count(*)) OVER () AS total
FROM Products
WHERE nutriscore_grade IS NOT NULL AND nova_group IS NOT NULL
GROUP BY nutriscore_grade, nova_group
ORDER BY nutriscore_grade, nova_group
