import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Product } from '@offstream/pipeline'

/**
 * Golden records: invented products with hard traits, each as it is after every stage of its way. The test of a stage
 * starts from the file that the stage before ends with, so that no stage has to believe in another:
 *
 * `catalogue.json` → site → `page.html` → web source → `product.json` → topic → stream → `row.json`
 *
 * What a person reads and checks once is then held for good; `vitest run -u` writes a changed stage anew, to be read.
 */
const folder = join(import.meta.dirname, '../golden')

export const goldenNames: readonly string[] = readdirSync(folder)

export const goldenFile = (
  name: string,
  stage: 'catalogue.json' | 'page.html' | 'product.json' | 'row.json',
) => join(folder, name, stage)

/** The name of the site in golden pages; the port of the one that serves them is another each time. */
export const goldenHost = 'golden.localhost'

/** When golden pages were visited. */
export const goldenMoment = '2026-01-31T12:00:00.250Z'

export const goldenProduct = async (name: string): Promise<Product> =>
  Product.parse(JSON.parse(await readFile(goldenFile(name, 'product.json'), 'utf8')))

/** As golden files are written. */
export const goldenText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`
