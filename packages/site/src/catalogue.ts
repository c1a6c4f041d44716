import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { createGunzip } from 'node:zlib'
import { abortable, messageOf } from '@offstream/runtime'
import { z } from 'zod'
import { SiteError } from './errors.ts'

const text = z.string().nullish()
const tags = z.array(z.string()).nullish()
const number = z.number().nullish()

/**
 * A product in the format of Open Food Facts' API and JSON Lines export. The schema lists only the fields that the site
 * shows, all of them optional except `code`. Other fields are kept, because the API and the exports return them.
 */
export const CatalogueProduct = z.looseObject({
  /** The barcode: digits, with or without leading zeros. */
  code: z.string().regex(/^\d{1,24}$/, 'must be 1 to 24 digits'),
  product_name: text,
  generic_name: text,
  /** As printed on the package, such as `350 g`. */
  quantity: text,
  /** Comma-separated names in the product's language. The `_tags` fields are their ids (`en:spreads`). */
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
  /** Two-letter code of the texts' language. */
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
 * Reads a catalogue in JSON Lines, gzipped if the file name ends in `.gz`. Empty lines are skipped.
 *
 * @throws OffstreamError CATALOGUE_UNREADABLE, naming the file, and the line of the first product that cannot be read
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
    // An error of the file itself, such as ENOENT, has a code and names the path. Other errors need the line.
    const place = error instanceof Error && 'code' in error ? file : `${file}:${lineNumber}`
    throw unreadable(place, error)
  }
  if (products.length === 0) throw unreadable(file, new Error('it contains no product'))
  return { products }
}

const linesOf = async function* (file: string): AsyncIterable<string> {
  const raw = createReadStream(file)
  const content = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw
  // `pipe` does not forward errors, and an unhandled error would stop the process.
  raw.once('error', error => content.destroy(error))
  const failed = new AbortController()
  content.once('error', (error: Error) => failed.abort(error))
  const lines = createInterface({ input: content, crlfDelay: Number.POSITIVE_INFINITY })[
    Symbol.asyncIterator
  ]()
  try {
    // readline reports the end of input, not an error, when its input fails.
    for (;;) {
      const { value, done } = await abortable(lines.next(), failed.signal)
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
  new SiteError('CATALOGUE_UNREADABLE', `The catalogue \`${place}\` cannot be read: ${messageOf(error)}`, {
    hint: 'use a JSON Lines file with one product of the Open Food Facts API per line, plain or gzipped (`.gz`)',
    cause: error,
  })

/**
 * Normalises a barcode as Open Food Facts does: leading zeros are removed, then up to 7 digits are padded to 8, and 9 to 12
 * to 13. Null if `written` contains no barcode.
 *
 * @see the server's `normalize_code`, lib/ProductOpener/Products.pm
 */
export const normalisedCode = (written: string): string | null => {
  const digits = written.replace(/\D/g, '').replace(/^0+/, '')
  if (digits.length === 0 || digits.length > 24) return null
  if (digits.length <= 8) return digits.padStart(8, '0')
  return digits.length <= 13 ? digits.padStart(13, '0') : digits
}
