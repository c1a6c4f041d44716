import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CatalogueProduct, readCatalogue, startSite } from '@offstream/site'
import { expect, test } from 'vitest'
import { normaliseCode } from '../../names.ts'
import { cleanText, gradeAmong, novaGroup } from '../../normalise.ts'
import { environmentalScoreGrades, nutriScoreGrades, type Product } from '../../product.ts'
import { findChromium } from './chromium.ts'
import { patienceOnLoopback } from './gate.ts'
import { webSource } from './web.ts'

const catalogueFile = join(import.meta.dirname, '../../../../../../shared/off/products.jsonl')
const executablePath = await findChromium()
const impossible = executablePath === null || !existsSync(catalogueFile)

/** What page and catalogue must agree on. */
const compared = [
  'product_name',
  'nutriscore_grade',
  'nova_group',
  'environmental_score_grade',
  'energy_kcal_100g',
  'fat_100g',
  'saturated_fat_100g',
  'carbohydrates_100g',
  'sugars_100g',
  'fiber_100g',
  'proteins_100g',
  'salt_100g',
] as const
type Compared = Pick<Product, (typeof compared)[number]>

test.skipIf(impossible)(
  `every name, grade, NOVA group and nutriment of 1,000 real products comes through their pages (needs Chromium and ${catalogueFile})`,
  async () => {
    const { products } = await readCatalogue(catalogueFile)
    const half = products.length / 2
    const found = new Map([
      ...(await crawlAll(products.slice(0, half), 'fr')),
      ...(await crawlAll(products.slice(half), 'en')),
    ])

    const differences = products.flatMap(product => {
      const code = normaliseCode(product.code) ?? ''
      const [expected, actual] = [expectedOf(product), found.get(code)]
      return compared
        .filter(field => actual?.[field] !== expected[field])
        .map(field => [code, field, expected[field], actual?.[field]])
    })
    expect(found.size).toBe(products.length)
    expect(differences).toEqual([
      // Its title is `Pepsi - 33cl`, and its brand Pepsi: the same page as that of a product without a name.
      ['0000886100252', 'product_name', 'Pepsi', null],
      // The catalogue has only its kilojoules; the site converts them for its page.
      ['00000758', 'energy_kcal_100g', null, 34],
    ])
  },
)

/** The records of a site that shows `products` in this language, by their codes. */
const crawlAll = async (
  products: readonly CatalogueProduct[],
  lang: 'fr' | 'en',
): Promise<ReadonlyMap<string, Product>> => {
  await using site = await startSite({ catalogue: { products }, lang })
  const storageDirectory = await mkdtemp(join(tmpdir(), 'offstream-catalogue-'))
  const found = new Map<string, Product>()
  try {
    await webSource({
      address: site.address,
      concurrency: 2,
      pagesPerMinute: null,
      patience: patienceOnLoopback,
      userAgent: 'offstream-test',
      chromium: { executablePath: executablePath ?? '' },
      storageDirectory,
      resume: null,
    }).run({
      deliver: async product => void found.set(product.code, product),
      report: () => undefined,
      signal: new AbortController().signal,
    })
  } finally {
    await rm(storageDirectory, { recursive: true })
  }
  return found
}

const number = (product: CatalogueProduct, name: string): number | null => {
  const value = product.nutriments?.[`${name}_100g`]
  return typeof value === 'number' ? value : null
}

const expectedOf = (product: CatalogueProduct): Compared => ({
  product_name: cleanText(product.product_name),
  nutriscore_grade: gradeAmong(nutriScoreGrades, product.nutriscore_grade),
  nova_group: novaGroup(String(product.nova_group)),
  environmental_score_grade: gradeAmong(environmentalScoreGrades, product.environmental_score_grade),
  energy_kcal_100g: number(product, 'energy-kcal'),
  fat_100g: number(product, 'fat'),
  saturated_fat_100g: number(product, 'saturated-fat'),
  carbohydrates_100g: number(product, 'carbohydrates'),
  sugars_100g: number(product, 'sugars'),
  fiber_100g: number(product, 'fiber'),
  proteins_100g: number(product, 'proteins'),
  salt_100g: number(product, 'salt'),
})
