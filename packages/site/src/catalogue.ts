import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { messageOf } from '@offstream/runtime'
import { z } from 'zod'
import { SiteError } from './errors.ts'

const text = z.string().nullish()
const tags = z.array(z.string()).nullish()
const number = z.number().nullish()

/**
 * One product as Open Food Facts' API and its JSON Lines export tell it. Only what the site shows is described, any
 * of it may be missing, and keys that are not described are kept: the API and the exports give them out again.
 */
export const CatalogueProduct = z.looseObject({
  /** The barcode: digits, with or without leading zeros. */
  code: z.string().regex(/^\d{1,24}$/, 'must be 1 to 24 digits'),
  product_name: text,
  generic_name: text,
  /** As printed on the package, such as `350 g`. */
  quantity: text,
  /** Names in the product's language, parted by commas; the `_tags` beside them are the same as ids (`en:spreads`). */
  brands: text,
  categories: text,
  categories_tags: tags,
  labels: text,
  labels_tags: tags,
  countries_tags: tags,
  ingredients_text: text,
  allergens_tags: tags,
  traces_tags: tags,
  additives_tags: tags,
  nutriscore_grade: text,
  nova_group: z.union([z.number(), z.string()]).nullish(),
  environmental_score_grade: text,
  /** `<nutriment>_100g` and `<nutriment>_serving` in grams (energies in kJ or kcal), and `<nutriment>_unit`. */
  nutriments: z.record(z.string(), z.unknown()).nullish(),
  serving_size: text,
  /** Language of the texts, two letters. */
  lang: text,
  obsolete: z.unknown().optional(),
  rev: number,
  /** Seconds since 1970. */
  created_t: number,
  last_modified_t: number,
  last_updated_t: number,
  image_url: text,
  image_small_url: text,
})
export type CatalogueProduct = z.infer<typeof CatalogueProduct>

export interface Catalogue {
  /** In the order of the site's lists. */
  readonly products: readonly CatalogueProduct[]
}

/**
 * Reads a catalogue: JSON Lines, one product a line, empty lines allowed; gzipped if its name ends in `.gz`.
 *
 * @throws OffstreamError CATALOGUE_UNREADABLE, naming the file, and the line of the first product that can't be read
 */
export const readCatalogue = async (file: string): Promise<Catalogue> => {
  const products: CatalogueProduct[] = []
  let lineNumber = 0
  try {
    for await (const line of linesOf(file)) {
      lineNumber += 1
      if (line.trim() !== '') products.push(readProduct(line))
    }
  } catch (error) {
    // An error of the file itself, such as ENOENT, carries a code and names the path; one of a line is ours to place.
    const place = error instanceof Error && 'code' in error ? file : `${file}:${lineNumber}`
    throw unreadable(place, error)
  }
  if (products.length === 0) throw unreadable(file, new Error('it holds no product'))
  return { products }
}

const linesOf = async function* (file: string): AsyncIterable<string> {
  const raw = createReadStream(file)
  const content = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  // `pipe` passes no errors on, and an error that nobody listens to would end the process.
  raw.once('error', error => content.destroy(error))
  const errors = new Promise<never>((_resolve, reject) => content.once('error', reject))
  errors.catch(() => undefined)
  const lines = createInterface({ input: content, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]()
  try {
    // readline ends quietly where its input fails.
    for (;;) {
      const { value, done } = await Promise.race([lines.next(), errors])
      if (done) break
      yield value
    }
    if (content.errored) throw content.errored
  } finally {
    raw.destroy()
  }
}

const readProduct = (line: string): CatalogueProduct => {
  const product = CatalogueProduct.safeParse(JSON.parse(line))
  if (product.success) return product.data
  throw new Error(product.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; '))
}

const unreadable = (place: string, error: unknown) =>
  new SiteError('CATALOGUE_UNREADABLE', `The catalogue \`${place}\` can't be read: ${messageOf(error)}`, {
    hint: 'give a file of JSON Lines, one product of the Open Food Facts API a line, plain or gzipped (`.gz`)',
    cause: error,
  })

/**
 * A barcode as Open Food Facts files it: leading zeros go, then 7 digits or fewer are padded to 8, and 9 to 12 to 13.
 * Null where `written` holds none.
 *
 * @see the server's `normalize_code`, lib/ProductOpener/Products.pm
 */
export const filedCode = (written: string): string | null => {
  const digits = written.replace(/\D/g, '').replace(/^0+/, '')
  if (digits.length === 0 || digits.length > 24) return null
  if (digits.length <= 8) return digits.padStart(8, '0')
  return digits.length <= 13 ? digits.padStart(13, '0') : digits
}
