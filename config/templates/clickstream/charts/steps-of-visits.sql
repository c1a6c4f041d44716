-- How far do visitors get? One row for each step, with the visits that got at least so far.
WITH reached AS (
  SELECT explode(sequence(1, step)) AS number FROM lake.shop.visits
)
SELECT
  CASE number WHEN 1 THEN 'Visit' WHEN 2 THEN 'Basket' WHEN 3 THEN 'Checkout' ELSE 'Order' END AS step,
  count(*) AS visits,
  round(100 * count(*) / max(count(*)) OVER (), 1) AS percent,
  max(count(*)) OVER () AS total
FROM reached
GROUP BY number
ORDER BY number
