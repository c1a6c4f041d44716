import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { beforeAll, describe, expect, test } from 'vitest'
import { apiFields } from '../../product/fields.ts'
import { nutrientNames } from '../../product/nutriments.ts'
import { Picker } from '../../product/pick.ts'
import { Product, productColumns } from '../../product/product.ts'
import { productOf, type RecordContext } from '../../product/productOf.ts'
import { qualityFlags } from '../../product/quality.ts'
import { taken } from '../testRun.ts'
import { exportSource } from './export.ts'

const folder = join(import.meta.dirname, '../../../../../../shared/off')
const fileOf = (name: string): string => join(folder, name)

type Products = ReadonlyMap<string, Product>

const productsOf = async (name: string): Promise<Products> => {
  const { products, skipped, error } = await taken(
    exportSource({ file: fileOf(name), userAgent: 'offstream-test' }),
  )
  expect([skipped, error]).toEqual([[], null])
  return new Map(products.map(product => [product.code, Product.parse(product)]))
}

/**
 * In how many products each column differs, of the products that are in both: those where the right one has nothing
 * apart from those where it has something else.
 */
const differences = (left: Products, right: Products) => {
  const lacking: Record<string, number> = {}
  const different: Record<string, number> = {}
  for (const [code, product] of left) {
    const other = right.get(code)
    if (other === undefined) continue
    for (const column of productColumns) {
      if (column === 'observed_at' || agree(product[column], other[column])) continue
      const counts = other[column] === null ? lacking : different
      counts[column] = (counts[column] ?? 0) + 1
    }
  }
  return { lacking, different }
}

/** Parquet has numbers of 32 bits, and products.jsonl was made from it, to six decimals. */
const agree = (left: unknown, right: unknown): boolean =>
  left === right ||
  (typeof left === 'number' &&
    typeof right === 'number' &&
    Math.abs(left - right) <= 1e-6 * (1 + Math.abs(left)))

// Megabytes of them: seconds on a machine that is busy with other tests too.
const timeout = 60_000

describe.skipIf(!existsSync(folder))(`the official exports (needs ${folder})`, { timeout }, () => {
  let csv: Products
  let parquet: Products
  let catalogue: Products
  let jsonl: Products
  beforeAll(async () => {
    csv = await productsOf('export.csv')
    parquet = await productsOf('export.parquet')
    catalogue = await productsOf('products.jsonl')
    jsonl = await productsOf('export.jsonl')
  }, timeout)

  test('give a valid record for each row of each form', () => {
    expect([csv.size, parquet.size, catalogue.size, jsonl.size]).toEqual([1_000, 1_000, 1_000, 50])
  })

  // The reasons are in the README of `sources`.
  test('agree in each product, except for what a form does not have', () => {
    expect(differences(catalogue, parquet)).toEqual({
      // No pictures and no addresses in this sample; the number of additives is counted if it is missing.
      lacking: { image_url: 380 },
      different: { url: 1_000, additives_n: 1 },
    })
    expect(differences(jsonl, parquet)).toEqual({
      // Three lines are older than the renaming of `ecoscore_grade`.
      lacking: { environmental_score_grade: 3 },
      different: {},
    })
    expect(differences(parquet, csv)).toEqual({
      lacking: {
        ...{ lang: 1_000, rev: 1_000, generic_name: 4, product_name: 3, allergens: 366 },
        ...{ energy_kcal_100g: 722, fat_100g: 722, carbohydrates_100g: 722, proteins_100g: 721 },
        ...{ salt_100g: 705, saturated_fat_100g: 570, sugars_100g: 669, fiber_100g: 537 },
        // A missing value cannot be implausible.
        quality_flags: 329,
      },
      different: { image_url: 380, url: 1_000, allergens: 123 },
    })
  })

  test.each(['products.jsonl', 'export.jsonl'])(
    'lose nothing of %s if only the wanted members are read',
    async name => {
      const context: RecordContext = { source: 'export', observedAt: '2026-04-10T00:00:00.000Z', site: null }
      const picker = new Picker(apiFields)
      const lines = (await readFile(fileOf(name), 'utf8')).trimEnd().split('\n')
      // Blanks before a line make the reader step through short ones too.
      const pick = (line: string) => JSON.parse(picker.pick(Buffer.from(' '.repeat(8_000) + line)).toString())
      const picked = lines.map(line => productOf(pick(line), context))
      expect(picked).toEqual(lines.map(line => productOf(JSON.parse(line), context)))
    },
  )

  test('get the same flags as from Open Food Facts, for the rules that exist in both', async () => {
    const file = await asyncBufferFromFile(fileOf('export.parquet'))
    const rows = await parquetReadObjects({
      ...{ file, compressors },
      columns: ['code', 'data_quality_errors_tags', 'data_quality_warnings_tags'],
    })
    const disagreements = rows.flatMap(({ code, data_quality_errors_tags, data_quality_warnings_tags }) => {
      const product = parquet.get(code)
      const ours = new Set(product === undefined ? [] : (qualityFlags(product)?.split(',') ?? []))
      const theirs = new Set<string>([
        ...(data_quality_errors_tags ?? []),
        ...(data_quality_warnings_tags ?? []),
      ])
      return sameRules
        .filter(flag => ours.has(flag) !== theirs.has(`en:${flag}`))
        .map(flag => [code, flag, ours.has(flag) ? 'ours' : 'theirs'])
    })
    // An estimate from its ingredients, which they do not judge.
    expect(disagreements).toEqual([['0008274000078', 'nutrition-saturated-fat-greater-than-fat', 'ours']])
  })
})

const sameRules = [
  ...Object.values(nutrientNames)
    .filter(name => name !== 'energy-kcal')
    .flatMap(name => [`nutrition-value-over-105-${name}`, `nutrition-value-negative-${name}`]),
  'nutrition-value-total-over-105',
  'nutrition-value-over-3800-energy',
  'nutrition-3-or-more-values-are-identical',
  'nutrition-saturated-fat-greater-than-fat',
  'nutrition-sugars-plus-starch-greater-than-carbohydrates',
  'nutrition-value-under-0-001-g-salt',
]
