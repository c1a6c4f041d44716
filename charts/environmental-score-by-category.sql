-- Which categories have the smallest environmental impact?
-- One row for each of the 12 largest categories and each score; the categories with the best average score first.
WITH scored AS (
  SELECT
    code,
    category,
    environmental_score_grade,
    array_position(array('a-plus', 'a', 'b', 'c', 'd', 'e', 'f'), environmental_score_grade) AS score
  FROM Products
  LATERAL VIEW explode(split(categories, ', ')) AS category
  WHERE environmental_score_grade IS NOT NULL
),
largest AS (
  SELECT category, count(*) AS category_products, avg(score) AS average
  FROM scored
  GROUP BY category
  ORDER BY category_products DESC, category
  LIMIT 12
)
SELECT
  category,
  environmental_score_grade,
  count(*) AS products,
  round(100 * count(*) / any_value(category_products), 1) AS percent,
  (SELECT count(*) FROM Products WHERE categories IS NOT NULL AND environmental_score_grade IS NOT NULL) AS total
FROM scored
JOIN largest USING (category)
GROUP BY category, environmental_score_grade
ORDER BY any_value(average), category, any_value(score)
