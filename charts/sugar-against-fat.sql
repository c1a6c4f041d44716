-- Which categories are high in sugars, in fat, or in both?
-- One row for each of the 14 largest categories, the sweetest first.
WITH plausible AS (
  SELECT code, category, sugars_100g, fat_100g
  FROM Products
  LATERAL VIEW explode(split(categories, ', ')) AS category
  -- More than 100 g in 100 g is an entry error.
  WHERE sugars_100g BETWEEN 0 AND 100 AND fat_100g BETWEEN 0 AND 100
),
largest AS (
  SELECT category, count(*) AS products
  FROM plausible
  GROUP BY category
  ORDER BY products DESC, category
  LIMIT 14
)
SELECT
  category,
  round(percentile(sugars_100g, 0.5), 1) AS sugars,
  round(percentile(fat_100g, 0.5), 1) AS fat,
  count(*) AS products,
  (SELECT count(DISTINCT code) FROM plausible) AS total
FROM plausible
JOIN largest USING (category)
GROUP BY category
ORDER BY sugars DESC, fat DESC, category
