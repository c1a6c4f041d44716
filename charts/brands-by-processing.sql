-- How processed are the products of the largest brands?
-- One row for each brand and NOVA group: the 12 largest brands, then the products without a known brand.
WITH branded AS (
  SELECT
    -- The first brand is that of the product; the others are mostly those of its owner or of a shop.
    coalesce(split_part(brands, ', ', 1), 'unknown') AS brand,
    coalesce(CAST(nova_group AS STRING), 'unknown') AS nova_group
  FROM Products
),
ranked AS (
  SELECT
    brand,
    count(*) AS brand_products,
    count_if(nova_group = '4') / count(*) AS ultra_processed,
    row_number() OVER (ORDER BY brand = 'unknown', count(*) DESC, brand) AS place
  FROM branded
  GROUP BY brand
)
SELECT
  brand,
  nova_group,
  count(*) AS products,
  round(100 * count(*) / any_value(brand_products), 1) AS percent,
  (SELECT sum(brand_products) FROM ranked WHERE place <= 12 OR brand = 'unknown') AS total
FROM branded
JOIN ranked USING (brand)
WHERE place <= 12 OR brand = 'unknown'
GROUP BY brand, nova_group
ORDER BY brand = 'unknown', any_value(ultra_processed) DESC, any_value(brand_products) DESC, brand, nova_group
