import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Product } from '@offstream/pipeline'

/**
 * Golden records: generated products with unusual values, and the output of every stage for each of them. The test of a
 * stage takes the previous stage's file as input, so no test mocks another stage:
 *
 * `catalogue.json` → site → `page.html` → web source → `product.json` → topic → stream → `row.json`
 *
 * A maintainer reviews the files once. `vitest run -u` rewrites the files of a changed stage for another review.
 */
const folder = join(import.meta.dirname, '../golden')

export const goldenNames: readonly string[] = readdirSync(folder)

export const goldenFile = (
  name: string,
  stage: 'catalogue.json' | 'page.html' | 'product.json' | 'row.json',
) => join(folder, name, stage)

/** The host in golden pages, in place of the test server's random port. */
export const goldenHost = 'golden.localhost'

/** The visit time in golden records. */
export const goldenMoment = '2026-01-31T12:00:00.250Z'

export const goldenProduct = async (name: string): Promise<Product> =>
  Product.parse(JSON.parse(await readFile(goldenFile(name, 'product.json'), 'utf8')))

/** The text of a golden file. */
export const goldenText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
