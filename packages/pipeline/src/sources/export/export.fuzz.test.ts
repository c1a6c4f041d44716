import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { expect, test } from 'vitest'
import { nutrientNames } from '../../product/nutriments.ts'
import { Product } from '../../product/product.ts'
import { changes, mutated, parameters, runs, seed } from '../../testFuzz.ts'
import { fileResults } from './format.ts'
import type { Input } from './input.ts'

const inputOf = (content: Buffer, partBytes: number): Input => ({
  ...{ name: 'f', bytes: content.length, isLive: false, mayBeEmpty: true },
  chunks: async function* () {
    for (let at = 0; at < content.length; at += partBytes)
      yield Buffer.from(content.subarray(at, at + partBytes))
  },
  parts: async () => ({
    byteLength: content.length,
    slice: async (start, end = content.length) => new Uint8Array(content.subarray(start, end)).slice().buffer,
  }),
})

/** A mutant that takes seconds to read is also a failure. */
const limits = { timeout: 20_000 }

const seen = { product: 0, unreadable: 0, error: 0 }

/** The records of a file. An error that is not for the user fails the test. */
const recordsIn = async (content: Buffer, partBytes: number): Promise<readonly Product[]> => {
  const records: Product[] = []
  try {
    for await (const results of fileResults(inputOf(content, partBytes), { source: 'export', site: null }))
      for (const result of results) {
        if (result?.kind === 'product') records.push(Product.parse(JSON.parse(String(result.product.json))))
        if (result !== null && result.kind !== 'gone') seen[result.kind] += 1
      }
  } catch (error) {
    expect(error).toMatchObject({
      code: expect.stringMatching(/^(?:FORMAT_UNKNOWN|FILE_DAMAGED|FILE_TRUNCATED)$/),
    })
    seen.error += 1
  }
  return records
}

const nutrimentsOf = (record: Product): readonly number[] =>
  Object.keys(nutrientNames).flatMap(column => record[column as keyof typeof nutrientNames] ?? [])

/** The digits of a number, without zeros at its ends, as many as a record keeps. */
const digitsOf = (number: number): string =>
  String(number)
    .replace(/e.*$/, '')
    .replace(/\D/g, '')
    .replace(/^0+|0+$/g, '')
    .slice(0, 11)

/** The text of a file, without what may separate the digits of a code or of a number. */
const unseparated = (content: Buffer): string => content.toString('latin1').replace(/[\s.,'’-]/g, '')

/** The values of records that their file does not contain. */
const inventedIn = (records: readonly Product[], content: Buffer): readonly unknown[] => {
  const digits = unseparated(content)
  return records.flatMap(record => [
    ...(digits.includes(record.code.replace(/^0+/, '')) ? [] : [record.code]),
    ...nutrimentsOf(record).filter(number => !digits.includes(digitsOf(number))),
  ])
}

interface Good {
  readonly code: string
  readonly name: string
  readonly fat: number
}

// Quotes as in the official CSV export, but no line ends, tabs and braces, which would be another product.
const nameSign = fc.constantFrom(...'abc é"\',;:\\1'.split(''))
const goods: fc.Arbitrary<readonly Good[]> = fc
  .tuple(
    fc.integer({ min: 3_000_000_000_000, max: 3_990_000_000_000 }),
    fc.array(
      fc.record({ name: fc.string({ unit: nameSign, minLength: 1, maxLength: 12 }), fat: fc.nat(99_999) }),
      {
        ...{ minLength: 3, maxLength: 5 },
      },
    ),
  )
  .map(([first, all]) =>
    all.map(({ name, fat }, index) => ({
      // A few changes of bytes must not make one code of another.
      ...{ code: String(first + index * 1_234_567_891), name: `n${name}n`, fat: fat / 1_000 },
    })),
  )

/** A file of rows or documents; only one of them is mutated. */
interface Form {
  readonly before: string
  readonly between: string
  readonly after: string
  readonly row: (good: Good) => string
}

const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`
const csvForm = (delimiter: string, name: (good: Good) => string): Form => ({
  ...{ before: ['code', 'product_name', 'brands', 'fat_100g\n'].join(delimiter), between: '\n', after: '\n' },
  row: good => [good.code, name(good), 'B', good.fat].join(delimiter),
})
const csvForms: readonly Form[] = [
  csvForm('\t', ({ name }) => name),
  csvForm('\t', ({ name }) => quoted(name)),
  csvForm(',', ({ name }) => quoted(name)),
  csvForm(';', ({ name }) => quoted(`${name}\nx`)),
]

const apiForm = ({ code, name, fat }: Good) => ({
  code,
  product_name: name,
  nutriments: { fat_100g: fat },
  brands: 'B',
})
const indented = (good: Good): string => JSON.stringify(apiForm(good), null, 2)
const jsonForms: readonly Form[] = [
  { ...{ before: '', between: '\n', after: '\n' }, row: good => JSON.stringify(apiForm(good)) },
  { ...{ before: '', between: '\n', after: '\n' }, row: indented },
  { ...{ before: '[\n', between: ',\n', after: '\n]\n' }, row: good => JSON.stringify(apiForm(good)) },
  { ...{ before: '[\n', between: ',\n', after: ']' }, row: good => indented(good).replaceAll(/^/gm, '  ') },
]

const namedNeighbours = (records: readonly Product[], rows: readonly Good[], damaged: number) => {
  const neighbours = rows.filter((_, index) => index !== damaged)
  const found = records.flatMap(({ code, product_name, fat_100g }) =>
    neighbours.some(row => row.code === code) ? [{ code, name: product_name, fat: fat_100g }] : [],
  )
  return { found, neighbours }
}

const withoutBlanks = (good: {
  readonly code: string
  readonly name: string | null
  readonly fat: number | null
}) => ({
  ...good,
  name: good.name?.replace(/ x$/, '').replace(/\s+/g, ' ') ?? null,
})

test.each([
  ['CSV', csvForms],
  ['JSON', jsonForms],
])(
  `a mutated row of %s does not affect others, and nothing is invented (seed ${seed}, ${runs} mutants)`,
  async (_kind, forms) => {
    await fc.assert(
      fc.asyncProperty(
        ...([goods, fc.constantFrom(...forms), fc.nat(4), changes, fc.constantFrom(7, 100, 10_000)] as const),
        async (rows, { before, between, after, row }, at, change, partBytes) => {
          const damaged = at % rows.length
          const texts = rows.map((good, index) =>
            index === damaged ? mutated(Buffer.from(row(good)), change) : Buffer.from(row(good)),
          )
          const content = Buffer.concat([
            Buffer.from(before),
            ...texts.flatMap((text, index) => (index === 0 ? [text] : [Buffer.from(between), text])),
            Buffer.from(after),
          ])
          const records = await recordsIn(content, partBytes)
          expect(inventedIn(records, content)).toEqual([])
          const { found, neighbours } = namedNeighbours(records, rows, damaged)
          expect(found.map(withoutBlanks)).toEqual(neighbours.map(withoutBlanks))
        },
      ),
      { ...parameters, ...limits },
    )
    expect([seen.product > 0, seen.unreadable > 0]).toEqual([true, true])
  },
)

test(`a mutated Parquet file never fails, and nothing is invented (seed ${seed}, ${runs} mutants)`, async () => {
  await fc.assert(
    fc.asyncProperty(goods, changes, async (rows, change) => {
      const whole = parquetWriteBuffer({
        codec: 'UNCOMPRESSED',
        rowGroupSize: 2,
        columnData: [
          { name: 'code', data: rows.map(({ code }) => code), type: 'STRING' },
          { name: 'product_name', data: rows.map(({ name }) => name), type: 'STRING' },
          { name: 'fat_100g', data: rows.map(({ fat }) => fat), type: 'DOUBLE' },
        ],
      })
      const content = mutated(Buffer.from(whole), change)
      const records = await recordsIn(content, 10_000)
      const bytes = unseparated(content)
      const invented = records.flatMap(record => [
        ...(bytes.includes(record.code.replace(/^0+/, '')) ? [] : [record.code]),
        ...nutrimentsOf(record).filter(number => !hasDouble(content, number) && Math.abs(number) > 1e-9),
      ])
      expect(invented).toEqual([])
    }),
    { ...parameters, ...limits },
  )
  expect([seen.error > 0, seen.product > 0]).toEqual([true, true])
})

/** Whether a file has a number of 64 bits that a record writes so, with twelve digits. */
const hasDouble = (content: Buffer, number: number): boolean => {
  for (let at = 0; at + 8 <= content.length; at += 1)
    if (Math.abs(content.readDoubleLE(at) - number) <= Math.abs(number) * 1e-11) return true
  return false
}
