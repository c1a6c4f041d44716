-- How many products have each environmental score, from A+ (least impact) to F (most)?
SELECT
  coalesce(environmental_score_grade, 'unknown') AS environmental_score_grade,
  count(*) AS products,
  round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent
FROM Products
GROUP BY 1
-- A+ is better than A, but would sort after it.
ORDER BY environmental_score_grade <> 'a-plus', environmental_score_grade
