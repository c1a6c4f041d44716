-- How do products rank by Nutri-Score? One row for each grade, from A (best) to E (worst).
SELECT
  coalesce(nutriscore_grade, 'unknown') AS nutriscore_grade,
  count(*) AS products,
  round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent,
  sum(count(*)) OVER () AS total
FROM Products
GROUP BY 1
ORDER BY 1
