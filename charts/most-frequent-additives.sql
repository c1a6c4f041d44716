-- Which additives are the most common? The 15 most frequent ones, one row each.
WITH listed AS (
  SELECT code, additives
  FROM Products
  WHERE additives IS NOT NULL
),
used AS (
  SELECT DISTINCT code, additive
  FROM listed
  LATERAL VIEW explode(split(additives, ', ')) AS additive
)
SELECT
  additive,
  count(*) AS products,
  round(100 * count(*) / any_value(total), 1) AS percent,
  any_value(total) AS total
FROM used
CROSS JOIN (SELECT count(*) AS total FROM listed)
-- `E322i` is a form of `E322` and counted there.
WHERE NOT additive RLIKE '^E[0-9]+[a-z]*i+v?$'
GROUP BY additive
ORDER BY products DESC, additive
LIMIT 15
