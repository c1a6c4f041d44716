import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { XmlDocument } from 'libxml2-wasm'
import type { TopLevelSpec } from 'vega-lite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { QueryResult, Value } from '../table.ts'
import { type Chart, listCharts, renderChart } from './charts.ts'
import { textBoxesIn } from './testTextBoxes.ts'

const chartsFolder = fileURLToPath(new URL('../../../../charts', import.meta.url))
const $schema = 'https://vega.github.io/schema/vega-lite/v6.json'

/** `brand products:bigint` in short for the columns of an answer; a column without a type is text. */
const answer = (columns: string, rows: readonly (readonly Value[])[]): QueryResult => ({
  columns: columns.split(' ').map(column => {
    const [name = '', type = 'string'] = column.split(':')
    return { name, type }
  }),
  rows,
})

/** A chart as a file may bring it: whether its specification is one, the drawing shows. */
const chart = (spec: object): Chart => ({
  name: 'drawn',
  sql: 'SELECT 1',
  spec: { $schema, ...spec } as TopLevelSpec,
})

/** Reads the drawing by the rules of XML, as a browser reads an SVG file: what is not well-formed throws. */
const read = (svg: string, path: string): string[] => {
  const document = XmlDocument.fromString(svg)
  try {
    return document.find(path, { svg: 'http://www.w3.org/2000/svg' }).map(node => node.content)
  } finally {
    document.dispose()
  }
}

const textsOf = (svg: string) => read(svg, '//svg:text')
const barsOf = (svg: string) => read(svg, '//svg:path[@aria-roledescription="bar"]/@fill')

const attribution = 'Data: Open Food Facts (ODbL)'
const unknownGrey = '#c3c8ce'
const novaColours = ['#00aa00', '#ffcc00', '#ff6600', '#ff0000', unknownGrey]
const nutriScoreColours = ['#038141', '#85bb2f', '#fecb02', '#ee8100', '#e63e11', unknownGrey]
const environmentalColours = [
  ...['#00673b', '#1e8f4e', '#60ac0e', '#eeae0e', '#ff6f1e', '#df1f1f', '#8f1116'],
  unknownGrey,
]

/** What the question of each chart may be answered with, and what the drawing then says, from top to bottom. */
const drawings: Readonly<
  Record<string, { readonly answer: QueryResult; readonly texts: string[]; readonly bars: string[] }>
> = {
  'brands-by-processing': {
    answer: answer('brand nova_group products:bigint percent:double', [
      ['Biscuiterie du Port', '3', 1, 4.2],
      ['Biscuiterie du Port', '4', 23, 95.8],
      ['Coopérative laitière des montagnes', '1', 9, 56.3],
      ['Coopérative laitière des montagnes', '4', 7, 43.8],
      ['Huilerie R & B', '2', 1, 100],
      ['unknown', '4', 3, 7.5],
      ['unknown', 'unknown', 37, 92.5],
    ]),
    texts: [
      attribution,
      ...['Biscuiterie du Port', 'Coopérative laitière des m…', 'Huilerie R & B', 'Unknown brand'],
      ...['', '96%', '56%', '44%', '100%', '', '93%'],
      ...['24 products', '16 products', '1 product', '40 products'],
      ...['NOVA 1', 'NOVA 2', 'NOVA 3', 'NOVA 4', 'Unknown group'],
      'Brands by degree of processing',
      "Share of each brand's products by NOVA group (1 unprocessed to 4 ultra-processed), most of group 4 first;" +
        'the 12 brands with the most products, and the products whose brand is unknown',
    ],
    bars: ['#ff6600', '#ff0000', '#00aa00', '#ff0000', '#ffcc00', '#ff0000', unknownGrey],
  },
  'environmental-impact': {
    answer: answer('environmental_score_grade products:bigint percent:double', [
      ...[
        ['a-plus', 4, 2],
        ['a', 16, 8],
        ['b', 34, 17],
        ['c', 30, 15],
      ],
      ...[
        ['d', 26, 13],
        ['e', 21, 10.5],
        ['f', 6, 3],
        ['unknown', 63, 31.5],
      ],
    ]),
    texts: [
      attribution,
      ...['A+', 'A', 'B', 'C', 'D', 'E', 'F', 'Unknown'],
      ...['4  (2.0%)', '16  (8.0%)', '34  (17.0%)', '30  (15.0%)'],
      ...['26  (13.0%)', '21  (10.5%)', '6  (3.0%)', '63  (31.5%)'],
      'Products by environmental score, best to worst',
      'Number of products, and their share of all; unknown = no score, or the score does not apply',
    ],
    bars: environmentalColours,
  },
  'nova-distribution': {
    answer: answer('nova_group products:bigint percent:double', [
      ...[
        ['1', 1231, 12.3],
        ['2', 87, 0.9],
        ['3', 1985, 19.9],
        ['4', 5222, 52.2],
        ['unknown', 1475, 14.8],
      ],
    ]),
    texts: [
      attribution,
      '1 – Unprocessed or minimally processed',
      '2 – Processed culinary ingredients',
      '3 – Processed foods',
      '4 – Ultra-processed foods',
      'Unknown',
      ...['1,231  (12.3%)', '87  (0.9%)', '1,985  (19.9%)', '5,222  (52.2%)', '1,475  (14.8%)'],
      'Products by NOVA group',
      'Number of products, and their share of all; unknown = Open Food Facts gives no group',
    ],
    bars: novaColours,
  },
  'nutri-score-ranking': {
    answer: answer('nutriscore_grade products:bigint percent:double', [
      ...[
        ['a', 28, 14],
        ['b', 18, 9],
        ['c', 41, 20.5],
        ['d', 47, 23.5],
        ['e', 44, 22],
        ['unknown', 22, 11],
      ],
    ]),
    texts: [
      attribution,
      ...['A', 'B', 'C', 'D', 'E', 'Unknown'],
      ...['28  (14.0%)', '18  (9.0%)', '41  (20.5%)', '47  (23.5%)', '44  (22.0%)', '22  (11.0%)'],
      'Products by Nutri-Score, best to worst',
      'Number of products, and their share of all; unknown = no grade, or the score does not apply',
    ],
    bars: nutriScoreColours,
  },
}

describe('the charts of offstream', async () => {
  const charts = await listCharts(chartsFolder)

  test('are four; other files in their folder are not charts', () => {
    expect(charts.map(({ name }) => name)).toEqual(Object.keys(drawings))
  })

  test.each(charts)('$name labels and colours its rows', async drawn => {
    const expected = drawings[drawn.name]
    if (expected === undefined) throw new Error('say above what this chart draws')
    const svg = await renderChart(drawn, expected.answer)
    expect({ texts: textsOf(svg), bars: barsOf(svg) }).toEqual({ texts: expected.texts, bars: expected.bars })
  })

  test.each(charts)('every text of $name is inside of the drawing, also in a wide font', async drawn => {
    const expected = drawings[drawn.name]
    const shown = await readFile(join(chartsFolder, `${drawn.name}.svg`), 'utf8')
    const svgs = [shown, ...(expected === undefined ? [] : [await renderChart(drawn, expected.answer)])]
    const texts = svgs.flatMap(textBoxesIn)
    expect(texts.length).toBeGreaterThan(10)
    expect(texts.filter(({ outside }) => outside > 0)).toEqual([])
  })

  test.each(charts)('$name of an empty table says so and has no bars', async drawn => {
    const columns = drawings[drawn.name]?.answer.columns ?? []
    const svg = await renderChart(drawn, { columns, rows: [] })
    expect(textsOf(svg)).toContain('No products yet')
    expect(barsOf(svg)).toEqual([])
  })

  test.each(charts)('$name selects exactly the columns that it draws', ({ sql, name }) => {
    const selected = /\nSELECT\n([^;]+?)\nFROM/.exec(`\n${sql.slice(sql.lastIndexOf('\nSELECT'))}`)?.[1] ?? ''
    const names = [...selected.matchAll(/(\w+),?$/gm)].map(([, column]) => column)
    expect(names).toEqual(drawings[name]?.answer.columns.map(column => column.name))
  })
})

describe('a drawing', () => {
  const clipped = chart({
    mark: {
      type: 'bar',
      clip: true,
      color: {
        gradient: 'linear',
        stops: [
          { offset: 0, color: '#000' },
          { offset: 1, color: '#fff' },
        ],
      },
    },
    encoding: { x: { field: 'products', type: 'quantitative' } },
  })
  const fine = answer('products:int', [[1], [2]])

  test('is the same bytes again, whatever is drawn at the same time', async () => {
    const first = await renderChart(clipped, fine)
    const together = await Promise.allSettled([
      renderChart(clipped, fine),
      renderChart(chart({ mark: 'bar' }), fine),
      renderChart(chart({}), fine),
      renderChart(clipped, fine),
    ])
    expect(first).toContain('url(#')
    expect([together[0], together[3]]).toEqual([
      { status: 'fulfilled', value: first },
      { status: 'fulfilled', value: first },
    ])
  })

  test('is one SVG document with a final line break', async () => {
    expect(await renderChart(clipped, fine)).toMatch(/^<svg .+<\/svg>\n$/s)
  })

  const labels = chart({
    mark: 'text',
    encoding: { y: { field: 'label', type: 'nominal', axis: null }, text: { field: 'label' } },
  })

  test('shows hostile text as text', async () => {
    const written = [
      '<script>alert(1)</script>',
      '</text></svg>"\'&lt;',
      ']]>\u0000\u0007\u001b[31m',
      'half \uD83D a pair',
      '🍫 café\tété',
    ]
    const svg = await renderChart(
      labels,
      answer(
        'label',
        written.map(label => [label]),
      ),
    )
    expect(textsOf(svg)).toEqual([
      '<script>alert(1)</script>',
      '</text></svg>"\'&lt;',
      ']]>\uFFFD\uFFFD\uFFFD[31m',
      'half \uFFFD a pair',
      '🍫 café\tété',
    ])
    expect(read(svg, '//svg:script')).toEqual([])
  })

  test('reads a number by the type of its column', async () => {
    const doubled = chart({
      transform: [{ calculate: "isNumber(datum.n) ? 'number ' + datum.n : datum.n", as: 'label' }],
      mark: 'text',
      encoding: { text: { field: 'label' } },
    })
    const drawnAs = async (type: string, value: Value) =>
      textsOf(await renderChart(doubled, answer(`n:${type}`, [[value]])))
    expect([
      await drawnAs('decimal', '12.50'),
      await drawnAs('bigint', '9007199254740993'),
      await drawnAs('double', 0.1),
      await drawnAs('string', '3017620422003'),
      await drawnAs('double', 'NaN'),
    ]).toEqual([['number 12.5'], ['number 9007199254740992'], ['number 0.1'], ['3017620422003'], ['null']])
  })
})

describe('a chart that loads something', () => {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    response.end('[{"products": 1}]')
  })
  let address = ''
  beforeAll(async () => {
    await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
    const bound = server.address()
    address = `http://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`
  })
  afterAll(() => server.close())

  const x = { field: 'products', type: 'quantitative' }
  test.each([
    [
      'data of the network',
      () => ({ layer: [{ data: { url: `${address}/data` }, mark: 'bar', encoding: { x } }] }),
    ],
    [
      'data of a file',
      () => ({ layer: [{ data: { url: fileURLToPath(import.meta.url) }, mark: 'bar', encoding: { x } }] }),
    ],
    [
      'a table to join with',
      () => ({
        transform: [
          { lookup: 'products', from: { data: { url: `${address}/join` }, key: 'a', fields: ['b'] } },
        ],
        mark: 'bar',
        encoding: { x },
      }),
    ],
    ['an image', () => ({ mark: { type: 'image', url: `${address}/image` }, encoding: { x } })],
    ['a link', () => ({ mark: 'bar', encoding: { x, href: { value: 'javascript:alert(1)' } } })],
  ])('is not drawn: %s', async (_, spec) => {
    await expect(renderChart(chart(spec()), answer('products:int', [[1]]))).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: expect.stringMatching(
        /^The chart `drawn` cannot be drawn: it loads or links to `.+`, which is not allowed$/,
      ),
    })
    expect(requests).toEqual([])
  })
})

describe('a specification that is not valid Vega-Lite', () => {
  test.each([
    ['has no mark', {}],
    ['has an unknown mark', { mark: 'nonsense' }],
    ['has a broken formula', { mark: 'bar', transform: [{ calculate: 'datum.a +', as: 'b' }] }],
    [
      'has a formula that fails on a row',
      {
        mark: 'bar',
        transform: [{ calculate: 'datum.a.b.c', as: 'b' }],
        encoding: { x: { field: 'b', type: 'quantitative' } },
      },
    ],
  ])('is not drawn: it %s', async (_, spec) => {
    await expect(renderChart(chart(spec), answer('a', [[null]]))).rejects.toMatchObject({
      code: 'CHART_INVALID',
      outcome: 'config',
      message: expect.stringMatching(/^The chart `drawn` cannot be drawn: /),
    })
  })
})

describe('a folder of charts', () => {
  const folderWith = async (files: Readonly<Record<string, string>>) => {
    const folder = await mkdtemp(join(tmpdir(), 'offstream-charts-'))
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)))
    return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
  }
  const sql = 'SELECT 1 AS one'
  const json = JSON.stringify({ $schema, mark: 'bar' })

  test('lists its charts by name', async () => {
    await using scratch = await folderWith({
      ...{ 'b.sql': sql, 'b.json': json, 'a.json': json, 'a.sql': sql },
      ...{ 'a.svg': '<svg/>', 'README.md': '# Charts' },
    })
    expect(await listCharts(scratch.folder)).toEqual([
      { name: 'a', sql, spec: { $schema, mark: 'bar' } },
      { name: 'b', sql, spec: { $schema, mark: 'bar' } },
    ])
  })

  test.each([
    ['no question', { 'a.json': json }, 'The chart `a` has no readable `a.sql`: '],
    ['no specification', { 'a.sql': sql }, 'The chart `a` has no readable `a.json`: '],
    ['an empty question', { 'a.sql': ' \n', 'a.json': json }, '`a.sql` of the chart `a` is empty'],
    ['invalid JSON', { 'a.sql': sql, 'a.json': '{' }, '`a.json` is not valid JSON: '],
    ['a JSON list', { 'a.sql': sql, 'a.json': '[]' }, '`a.json` is not a Vega-Lite specification: '],
    [
      'a Vega specification',
      { 'a.sql': sql, 'a.json': '{"$schema": "https://vega.github.io/schema/vega/v6.json"}' },
      '`a.json` is not a Vega-Lite specification: ',
    ],
    [
      'its own rows',
      { 'a.sql': sql, 'a.json': JSON.stringify({ $schema, data: { values: [] }, mark: 'bar' }) },
      '`a.json` contains data; ',
    ],
  ])('says which chart has %s', async (_, files, message) => {
    await using scratch = await folderWith(files)
    await expect(listCharts(scratch.folder)).rejects.toMatchObject({
      code: 'CHART_INVALID',
      outcome: 'config',
      message: expect.stringContaining(message),
      hint: expect.stringContaining('charts/README.md'),
    })
  })

  test('that does not exist is an error', async () => {
    await expect(listCharts('/nowhere/charts')).rejects.toMatchObject({
      code: 'CHART_INVALID',
      message: expect.stringContaining('The folder of charts `/nowhere/charts` cannot be read: '),
    })
  })
})
