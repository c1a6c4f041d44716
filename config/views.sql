-- The views that Tableau and SQL clients see, in the schema `default`. They are created at each start of the Thrift
-- server: edit them here, then run `offstream restart thrift`. The table behind them is lake.off.products.

-- Live products, the columns of the record. This is what `SELECT * FROM Products` in Data-viz.twb reads.
CREATE OR REPLACE VIEW Products AS
SELECT
  code, product_name, generic_name, quantity, brands, categories, labels, countries,
  ingredients_text, allergens, additives, additives_n,
  nutriscore_grade, nova_group, environmental_score_grade,
  energy_kcal_100g, fat_100g, saturated_fat_100g, carbohydrates_100g, sugars_100g, fiber_100g, proteins_100g, salt_100g,
  image_url, url, lang, last_modified_t, rev, as_of, observed_at, source, quality_flags
FROM lake.off.products
WHERE NOT deleted;

-- The columns of this project's first version, for workbooks that were made with it.
CREATE OR REPLACE VIEW products_v1 AS
SELECT
  product_name AS Nom,
  code AS Code_barres,
  upper(nutriscore_grade) AS Nutri_score,
  nova_group AS NOVA,
  upper(replace(environmental_score_grade, '-plus', '+')) AS Eco_Score,
  salt_100g AS Sel,
  sugars_100g AS Sucres,
  additives_n AS Additifs
FROM Products;

-- Messages of the topic that are not products, each with the reason.
CREATE OR REPLACE VIEW products_rejected AS
SELECT topic, kafka_partition, kafka_offset, kafka_timestamp, key, value, reason
FROM lake.off.rejected;
