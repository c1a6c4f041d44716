import { existsSync } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitForTable } from './pipeline.ts'
import { root } from './repository.ts'
import { type ScratchStack, scratchStack } from './stack.ts'

/** 1,000 real products of Open Food Facts, which are not part of this repository. */
const products = join(root, '../shared/off/products.jsonl')

type Row = Readonly<Record<string, string | number>>

const nutrients = (row: Row): string[] => [
  `p10: ${row['p10']}; nutriscore_grade: ${row['nutriscore_grade']}; p90: ${row['p90']}`,
  `p25: ${row['p25']}; nutriscore_grade: ${row['nutriscore_grade']}; p75: ${row['p75']}`,
  `median: ${row['median']}; nutriscore_grade: ${row['nutriscore_grade']}`,
]

const day = (time: string | number | undefined): string =>
  new Date(`${time}Z`).toLocaleDateString('en-US', {
    ...{ month: 'short', day: '2-digit', year: 'numeric', timeZone: 'UTC' },
  })

/** The labels of the marks of each chart for one row of its query. A share is rounded to whole percents. */
const marks: Readonly<Record<string, (row: Row) => readonly string[]>> = {
  'arrivals-over-time': row => [
    `start: ${day(row['start_time'])}; products: ${row['products']}; end: ${day(row['end_time'])}`,
  ],
  'brands-by-processing': row => [
    `products: ${row['percent']}%; brand: ${row['brand']}; nova_group: ${row['nova_group']}`,
  ],
  'completeness-by-country': row => [
    `field: ${row['field']}; title: ${row['country']} (${row['country_products']}); percent: ${row['percent']}`,
  ],
  'environmental-impact': row => [
    `products: ${row['products']}; environmental_score_grade: ${row['environmental_score_grade']}`,
  ],
  'environmental-score-by-category': row => [
    `products: ${row['percent']}%; category: ${row['category']}; environmental_score_grade: ${row['environmental_score_grade']}`,
  ],
  'most-frequent-additives': row => [`products: ${row['products']}; title: ${row['additive']}`],
  'nova-distribution': row => [`products: ${row['products']}; nova_group: ${row['nova_group']}`],
  'nutri-score-by-nova': row => [
    `nova_group: ${row['nova_group']}; nutriscore_grade: ${row['nutriscore_grade']}; percent: ${row['percent']}`,
  ],
  'nutri-score-ranking': row => [
    `products: ${row['products']}; nutriscore_grade: ${row['nutriscore_grade']}`,
  ],
  'nutrients-by-nutri-score': nutrients,
  'sugar-against-fat': row => [
    `grams: ${row['sugars']}; category: ${row['category']}; nutrient: sugars`,
    `grams: ${row['fat']}; category: ${row['category']}; nutrient: fat`,
  ],
}
/** Charts whose marks show a share that is computed from the numbers of products. */
const shares = ['brands-by-processing', 'environmental-score-by-category']

const marksIn = (svg: string): string[] =>
  [...svg.matchAll(/<path aria-label="([^"]+)" role="graphics-symbol"/g)].map(([, label = '']) =>
    label.replaceAll('&amp;', '&').replaceAll('&#39;', "'").replaceAll('&quot;', '"'),
  )

/** The marks without their positions, with numbers in one format and shares in whole percents. */
const plain = (mark: string): string =>
  mark
    .replace(/; place: \d+$/, '')
    .replace(/(title: E\d+\w*) {2}.*$/, '$1')
    .replace(/-?[\d,]*\.\d+/g, number => String(Number(number.replaceAll(',', ''))))
    .replace(/(\d),(?=\d{3})/g, '$1')

let stack: ScratchStack
beforeAll(async () => {
  stack = await scratchStack()
  for (const command of ['up', 'submit']) await stack.succeed([command])
})
afterAll(() => stack[Symbol.asyncDispose]())

describe.skipIf(!existsSync(products))('charts of 1,000 real products', () => {
  beforeAll(async () => {
    await stack.succeed(['scrape', '--source', 'export', '--file', products])
    await waitForTable(stack, 'rows=1000')
  })

  // `npm run charts` runs this test with `--update`, which writes the drawings.
  test('their drawings are those of the repository, and each mark shows the number of the query', async () => {
    const folder = await mkdtemp(join(stack.directory, 'charts-'))
    const { files } = (await stack.json(['charts', '--output', folder])) as { files: string[] }
    expect(files).toEqual(Object.keys(marks).map(name => join(folder, `${name}.svg`)))
    for (const [name, ofRow] of Object.entries(marks)) {
      const svg = await readFile(join(folder, `${name}.svg`), 'utf8')
      await expect(svg).toMatchFileSnapshot(join(root, 'charts', `${name}.svg`))

      const sql = await readFile(join(root, 'charts', `${name}.sql`), 'utf8')
      const rows: Row[] = JSON.parse((await stack.succeed(['query', sql, '--format', 'json'])).stdout)
      const expected = rows.flatMap(ofRow).map(plain)
      const drawn = marksIn(svg).map(plain)
      if (shares.includes(name)) {
        const [left, right] = [drawn, expected].map(all => all.map(mark => mark.replace(/[\d.]+(?=%)/, '')))
        expect(left?.toSorted()).toEqual(right?.toSorted())
        for (const [at, mark] of drawn.toSorted(byLabel).entries())
          expect(shareOf(mark) - shareOf(expected.toSorted(byLabel)[at])).toBeCloseTo(0, -0.3)
      } else expect(drawn.toSorted()).toEqual(expected.toSorted())
    }
  })

  test('in every format, for both themes', async () => {
    const folder = await mkdtemp(join(stack.directory, 'charts-'))
    const draw = async (...options: string[]) => {
      const { files } = (await stack.json([
        ...['charts', 'nova-distribution', '--output', folder, ...options],
      ])) as { files: string[] }
      return readFile(files[0] ?? '')
    }
    expect((await draw('--format', 'png', '--theme', 'dark')).subarray(1, 4).toString()).toBe('PNG')
    expect(String(await draw('--format', 'html'))).toContain('<td class="number">687</td>')
    expect(String(await draw('--theme', 'dark'))).toContain('fill="#0d1117"')
    expect(JSON.parse(String(await draw('--format', 'vega')))).toMatchObject({
      data: { values: [{ nova_group: '1', products: 41, percent: 4.1, total: 1000 }, {}, {}, {}, {}] },
    })
    expect(await stack.json(['charts', 'nova-distribution', '--format', 'text'])).toMatchObject({
      kind: 'charts',
      charts: [{ name: 'nova-distribution', title: 'How processed are the products?' }],
    })
    expect(
      (await stack.run(['charts', 'nutri-score-ranking', '--format', 'text'])).shown,
    ).toMatchInlineSnapshot(`
      "How do products rank by Nutri-Score?
      nutriscore_grade  products
      a  █████▎ 44
      b  ██▏ 18
      c  ██████████▌ 88
      d  ████████████ 100
      e  █████████████████████████████████████████████████████████ 475
      unknown  █████████████████████████████████ 275
      exit 0"
    `)
  })
})

describe('the workbook of Tableau', () => {
  test('declares the columns of `DESCRIBE Products`, with their types', async () => {
    const described: { col_name: string; data_type: string }[] = JSON.parse(
      (await stack.succeed(['query', 'DESCRIBE Products', '--format', 'json'])).stdout,
    )
    const { file } = (await stack.json(['tableau', '--output', join(stack.directory, 'a.twb')])) as {
      file: string
    }
    const workbook = await readFile(file, 'utf8')
    expect(workbook).toContain(` port='${stack.config.thrift.port}' `)
    const [first = ''] = workbook.split('</metadata-records>')
    const declared = [...first.matchAll(/<remote-name>(\w+)<[\s\S]*?<local-type>(\w+)</g)].map(
      ([, ...one]) => one,
    )
    expect(declared).toEqual(described.map(({ col_name, data_type }) => [col_name, tableauTypes[data_type]]))
  })

  test('reads additives with a statement that Spark runs', async () => {
    const workbook = await readFile(join(root, 'Data-viz.twb'), 'utf8')
    const [, sql = ''] = /name='Additives SQL' type='text'>([^<]+)</.exec(workbook) ?? []
    const statement = `SELECT count(*) AS n FROM (${sql.replaceAll('&#39;', "'")})`
    expect(JSON.parse((await stack.succeed(['query', statement, '--format', 'json'])).stdout)).toEqual([
      { n: expect.any(Number) },
    ])
  })
})

const tableauTypes: Readonly<Record<string, string>> = {
  ...{ string: 'string', int: 'integer', bigint: 'integer', double: 'real', timestamp: 'datetime' },
}

const byLabel = (one: string, other: string): number => {
  const [a, b] = [one, other].map(mark => mark.replace(/[\d.]+(?=%)/, ''))
  return String(a) < String(b) ? -1 : 1
}

const shareOf = (mark: string | undefined): number => Number(/([\d.]+)%/.exec(mark ?? '')?.[1])
