import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { taken } from '../testRun.ts'
import { exportSource } from './export.ts'

/** Written by pyarrow; see `write.py` in that folder. */
const folder = join(import.meta.dirname, 'arrowFiles')

const files = readdirSync(folder).filter(name => name.endsWith('.parquet'))

test('there are files', () => expect(files.length).toBeGreaterThan(30))

test.each(files)('the values of %s are read', async name => {
  const run = taken(exportSource({ file: join(folder, name), userAgent: 'offstream-test' }))
  const { products, skipped, error } = await run
  expect(products.map(each => [each.code, each.product_name, each.last_modified_t, each.fat_100g])).toEqual([
    ['3000000000011', 'Pain', 1_714_000_000, 1.5],
    ['0034000470693', 'Thé', null, null],
  ])
  expect([skipped, error]).toEqual([[], null])
})
