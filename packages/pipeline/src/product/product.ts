import { z } from 'zod'
import { environmentalScoreGrades, nutriScoreGrades, productSources } from '../names.ts'

/** Increased if a column changes its meaning or is removed. A new nullable column needs no new version. */
export const productSchemaVersion = 1

const text = z.string().min(1).nullable()
const per100g = z.number().nullable()
const count = z.number().int().nonnegative().nullable()
const moment = z.iso.datetime({ precision: 3 })

/**
 * The record of one product: the value of a message in the topic (flat JSON), and a row of the table with the same
 * columns in the same order. Names are those of the API of Open Food Facts; null means unknown.
 * `spark-jobs/products.py` has the same columns; the golden records of `packages/e2e` compare the two.
 * A new column must be the last, because clients may read rows by position.
 */
export const Product = z.strictObject({
  /** The barcode: digits as text, normalised by `normaliseCode`; the key of the message and of the row. */
  code: z.string().regex(/^\d{8,24}$/),
  product_name: text,
  generic_name: text,
  /** As printed on the package, for example `350 g`. */
  quantity: text,
  /** This and the other lists are text: names in the order of the source, joined by `, `. */
  brands: text,
  categories: text,
  labels: text,
  countries: text,
  ingredients_text: text,
  allergens: text,
  additives: text,
  additives_n: count,
  nutriscore_grade: z.enum(nutriScoreGrades).nullable(),
  /** 1 unprocessed … 4 ultra-processed. */
  nova_group: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]).nullable(),
  environmental_score_grade: z.enum(environmentalScoreGrades).nullable(),
  /** Kilocalories; all other nutriments are grams. Each is for 100 g or 100 ml of the product as sold. */
  energy_kcal_100g: per100g,
  fat_100g: per100g,
  saturated_fat_100g: per100g,
  carbohydrates_100g: per100g,
  sugars_100g: per100g,
  fiber_100g: per100g,
  proteins_100g: per100g,
  salt_100g: per100g,
  image_url: text,
  url: text,
  /** The language of the texts: two letters, ISO 639-1. */
  lang: text,
  /** When the product was last modified, in seconds since 1970; null if the source does not have it. */
  last_modified_t: count,
  /** The revision number of the product in the source. */
  rev: count,
  /**
   * The moment that the record describes; the record with the newer one wins. It is the later of `last_updated_t` (which
   * includes recomputed grades) and `last_modified_t` of the source, but never later than `observed_at`; if the source
   * has neither, it is `observed_at`.
   */
  as_of: moment,
  /** When offstream read the product. Both moments are ISO 8601, UTC, with milliseconds. */
  observed_at: moment,
  source: z.enum(productSources),
  /** The names of the `qualityFlags` rules that the nutriments break, joined by `,`. */
  quality_flags: text,
})

/** One product; see the schema of the same name. */
export type Product = z.infer<typeof Product>

/** The columns of the record, in their order. */
export const productColumns = Object.keys(Product.shape) as readonly (keyof Product)[]
