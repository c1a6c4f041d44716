import { z } from 'zod'
import { environmentalScoreGrades, nutriScoreGrades, productSources } from '../names.ts'

/** Raised when a column changes its meaning or goes; a new nullable column is no new version. */
export const productSchemaVersion = 1

const text = z.string().min(1).nullable()
const per100g = z.number().nullable()
const count = z.number().int().nonnegative().nullable()
const moment = z.iso.datetime({ precision: 3 })

/**
 * One product as it goes the whole way: the value of a message in the topic (flat JSON), and, column by column in
 * this order, a row of the table. Names are those of Open Food Facts' API; null means unknown.
 * `spark-jobs/products.py` names the same columns; the golden records of `packages/e2e` hold the two together.
 * A new column goes to the end, so that whoever reads rows by position still reads the same.
 */
export const Product = z.strictObject({
  /** Barcode: digits as text, normalised by `normaliseCode`; the key of the message and of the row. */
  code: z.string().regex(/^\d{8,24}$/),
  product_name: text,
  generic_name: text,
  /** As printed on the package, such as `350 g`. */
  quantity: text,
  /** Lists are text, names in the order of the source, joined by `, `. */
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
  /** Kilocalories; all other nutriments are grams, each for 100 g or 100 ml of the product. */
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
  /** Language of the texts, two letters. */
  lang: text,
  /** Seconds since 1970, as the source tells; null where it does not. */
  last_modified_t: count,
  /** The source's revision number of the product. */
  rev: count,
  /**
   * The moment whose truth this record tells: the later of the source's `last_updated_t` (which counts recomputed grades
   * too) and `last_modified_t`, never later than `observed_at`; that itself where the source tells neither.
   */
  as_of: moment,
  /** When offstream saw it. Both moments are ISO 8601, UTC, with milliseconds. */
  observed_at: moment,
  source: z.enum(productSources),
  /** What is absurd about the nutriments, by `qualityFlags`: names joined by `,`. */
  quality_flags: text,
})

export type Product = z.infer<typeof Product>

/** The columns of the record, in their order. */
export const productColumns = Object.keys(Product.shape) as readonly (keyof Product)[]
