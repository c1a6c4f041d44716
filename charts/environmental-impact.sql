-- What is the environmental impact of the products? One row for each score, from A+ (smallest) to F (largest).
SELECT
  coalesce(environmental_score_grade, 'unknown') AS environmental_score_grade,
  count(*) AS products,
  round(100 * count(*) / sum(count(*)) OVER (), 1) AS percent,
  sum(count(*)) OVER () AS total
FROM Products
GROUP BY 1
-- A+ is better than A, but would sort after it.
ORDER BY environmental_score_grade <> 'a-plus', environmental_score_grade
