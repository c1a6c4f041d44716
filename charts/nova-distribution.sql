-- How processed are the products? One row for each NOVA group, from 1 (unprocessed) to 4 (ultra-processed).
SELECT
  coalesce(CAST(nova_group AS STRING), 'unknown') AS nova_group,
  count(*) AS products,
  round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent,
  sum(count(*)) OVER () AS total
FROM Products
GROUP BY 1
ORDER BY 1
