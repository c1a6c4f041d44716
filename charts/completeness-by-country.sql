-- How complete is the data on each country's products?
-- One row for each of the 8 countries with the most products, and each field.
WITH sold AS (
  SELECT country, Products.*
  FROM Products
  LATERAL VIEW explode(split(countries, ', ')) AS country
),
largest AS (
  SELECT country, count(*) AS country_products
  FROM sold
  GROUP BY country
  ORDER BY country_products DESC, country
  LIMIT 8
)
SELECT
  country,
  field,
  round(100 * avg(known), 1) AS percent,
  sum(known) AS products,
  any_value(country_products) AS country_products,
  (SELECT count(*) FROM Products WHERE countries IS NOT NULL) AS total
FROM sold
JOIN largest USING (country)
LATERAL VIEW stack(
  10,
  1, 'Name', int(product_name IS NOT NULL),
  2, 'Brand', int(brands IS NOT NULL),
  3, 'Quantity', int(quantity IS NOT NULL),
  4, 'Categories', int(categories IS NOT NULL),
  5, 'Ingredients', int(ingredients_text IS NOT NULL),
  6, 'Energy', int(energy_kcal_100g IS NOT NULL),
  7, 'Nutri-Score', int(nutriscore_grade IS NOT NULL),
  8, 'NOVA', int(nova_group IS NOT NULL),
  9, 'Env. score', int(environmental_score_grade IS NOT NULL),
  10, 'Image', int(image_url IS NOT NULL)
) AS position, field, known
GROUP BY country, field
ORDER BY country_products DESC, country, any_value(position)
