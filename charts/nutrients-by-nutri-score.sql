-- How do nutrients differ by Nutri-Score?
-- One row for each nutrient and grade, with the quantiles in grams for 100 g.
WITH nutrients AS (
  SELECT nutriscore_grade, nutrient, position, grams
  FROM Products
  LATERAL VIEW stack(
    6,
    1, 'Sugars', sugars_100g,
    2, 'Saturated fat', saturated_fat_100g,
    3, 'Salt', salt_100g,
    4, 'Fat', fat_100g,
    5, 'Fibre', fiber_100g,
    6, 'Proteins', proteins_100g
  ) AS position, nutrient, grams
  -- More than 100 g in 100 g is an entry error.
  WHERE nutriscore_grade IS NOT NULL AND grams BETWEEN 0 AND 100
)
SELECT
  nutrient,
  nutriscore_grade,
  round(percentile(grams, 0.5), 2) AS median,
  round(percentile(grams, 0.1), 2) AS p10,
  round(percentile(grams, 0.25), 2) AS p25,
  round(percentile(grams, 0.75), 2) AS p75,
  round(percentile(grams, 0.9), 2) AS p90,
  count(*) AS products,
  (SELECT count(*) FROM Products WHERE nutriscore_grade IS NOT NULL) AS total
FROM nutrients
GROUP BY nutrient, nutriscore_grade
ORDER BY any_value(position), nutriscore_grade
