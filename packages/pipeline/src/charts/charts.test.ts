import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { XmlDocument } from 'libxml2-wasm'
import type { TopLevelSpec } from 'vega-lite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chartThemes } from '../names.ts'
import type { QueryResult, Value } from '../table.ts'
import { type Chart, listCharts } from './charts.ts'
import { chartPage } from './page.ts'
import { renderChart, titleOf } from './render.ts'
import { textBoxesIn } from './testTextBoxes.ts'
import { textChart } from './textChart.ts'

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
/** All texts except the attribution, which is the last one. */
const labelsOf = (svg: string) => textsOf(svg).slice(0, -1)
const barsOf = (svg: string) => read(svg, '//svg:path[@aria-roledescription="bar"]/@fill')
/** The labels of the marks for screen readers: the values that they show. */
const marksOf = (svg: string) =>
  read(svg, '//svg:path[@aria-roledescription]/@aria-label').filter(label => !/axis|legend|mark/i.test(label))

/** A possible result of each chart. */
const results: Readonly<Record<string, QueryResult>> = {
  'arrivals-over-time': answer('start_time products:bigint end_time unit total:bigint', [
    ['2026-01-31T00:00:00', 1234, '2026-02-01T00:00:00', 'day', 1241],
    ['2026-02-02T00:00:00', 7, '2026-02-03T00:00:00', 'day', 1241],
  ]),
  'brands-by-processing': answer('brand nova_group products:bigint percent:double total:bigint', [
    ['Biscuiterie du Port', '3', 1, 4.2, 80],
    ['Biscuiterie du Port', '4', 23, 95.8, 80],
    ['Coopérative laitière des montagnes et vallées', '1', 9, 56.3, 80],
    ['Coopérative laitière des montagnes et vallées', '4', 7, 43.8, 80],
    ['Huilerie R & B', '2', 1, 100, 80],
    ['unknown', '4', 3, 7.5, 80],
    ['unknown', 'unknown', 37, 92.5, 80],
  ]),
  'completeness-by-country': answer(
    'country field percent:double products:bigint country_products:bigint total:bigint',
    [
      ['France', 'Name', 100, 1500, 1500, 1504],
      ['France', 'Nutri-Score', 48.3, 725, 1500, 1504],
      ['Saint Vincent and the Grenadines', 'Name', 75, 3, 4, 1504],
      ['Saint Vincent and the Grenadines', 'Nutri-Score', 0, 0, 4, 1504],
    ],
  ),
  'environmental-impact': answer(
    'environmental_score_grade products:bigint percent:double total:bigint',
    ['a-plus', 'a', 'b', 'c', 'd', 'e', 'f', 'unknown'].map((grade, at) => [grade, at + 1, at / 2, 36]),
  ),
  'environmental-score-by-category': answer(
    'category environmental_score_grade products:bigint percent:double total:bigint',
    [
      ['Légumes', 'a-plus', 9, 90, 21],
      ['Légumes', 'a', 1, 10, 21],
      ['Viandes', 'e', 4, 36.4, 21],
      ['Viandes', 'f', 7, 63.6, 21],
    ],
  ),
  'most-frequent-additives': answer('additive products:bigint percent:double total:bigint', [
    ['E322', 1303, 48.3, 2698],
    ['E9999', 1, 0.04, 2698],
  ]),
  'nova-distribution': answer('nova_group products:bigint percent:double total:bigint', [
    ['1', 1231, 12.3, 10000],
    ['2', 87, 0.9, 10000],
    ['3', 1985, 19.9, 10000],
    ['4', 5222, 52.2, 10000],
    ['unknown', 1475, 14.8, 10000],
  ]),
  'nutri-score-by-nova': answer('nutriscore_grade nova_group products:bigint percent:double total:bigint', [
    ['a', '1', 1, 100, 1002],
    ['e', '4', 1001, 100, 1002],
  ]),
  'nutri-score-ranking': answer('nutriscore_grade products:bigint percent:double total:bigint', [
    ['a', 28, 14, 200],
    ['b', 18, 9, 200],
    ['c', 41, 20.5, 200],
    ['d', 47, 23.5, 200],
    ['e', 44, 22, 200],
    ['unknown', 22, 11, 200],
  ]),
  'nutrients-by-nutri-score': answer(
    'nutrient nutriscore_grade median:double p10:double p25:double p75:double p90:double products:bigint total:bigint',
    [
      ['Sugars', 'a', 1.5, 0, 0.5, 2.5, 4.5, 12, 30],
      ['Salt', 'e', 1.2, 0.1, 0.4, 1.6, 2.2, 18, 30],
    ],
  ),
  'sugar-against-fat': answer('category sugars:double fat:double products:bigint total:bigint', [
    ['Chocolats', 47.5, 33, 12, 13],
    ['Fromages', 0.5, 28, 1, 13],
  ]),
}

describe('the charts of offstream', async () => {
  const charts = await listCharts(chartsFolder)
  const resultOf = ({ name }: Chart): QueryResult => {
    const result = results[name]
    if (result === undefined) throw new Error('give above a possible result of this chart')
    return result
  }

  test('are these; other files in their folder are not charts', () => {
    expect(charts.map(({ name }) => name)).toEqual(Object.keys(results))
  })

  test.each(charts)('$name labels and colours its rows', async drawn => {
    const svg = await renderChart(drawn, resultOf(drawn))
    expect({ texts: textsOf(svg), marks: marksOf(svg), bars: barsOf(svg) }).toMatchSnapshot()
  })

  test.each(charts)(
    'the title of $name is a question, and its subtitle names the number of products',
    async drawn => {
      const { columns, rows } = resultOf(drawn)
      const total = Number(rows[0]?.[columns.findIndex(({ name }) => name === 'total')])
      expect(titleOf(drawn)).toMatch(/^[A-Z].+\?$/)
      expect(textsOf(await renderChart(drawn, resultOf(drawn))).join('\n')).toContain(
        `${total.toLocaleString('en-US')} products`,
      )
    },
  )

  test.each(charts.flatMap(drawn => chartThemes.map(theme => [drawn.name, theme, drawn] as const)))(
    'every text of %s is inside the %s drawing, even in a wide font',
    async (_name, theme, drawn) => {
      const texts = textBoxesIn(await renderChart(drawn, resultOf(drawn), theme))
      expect(texts.length).toBeGreaterThan(5)
      expect(texts.filter(({ outside }) => outside > 0)).toEqual([])
    },
  )

  test.each(charts)('every text of the committed $name is inside the drawing', async ({ name }) => {
    const texts = textBoxesIn(await readFile(join(chartsFolder, `${name}.svg`), 'utf8'))
    expect(texts.length).toBeGreaterThan(10)
    expect(texts.filter(({ outside }) => outside > 0)).toEqual([])
  })

  test.each(charts)('$name shows the source of its data', async drawn => {
    expect(textsOf(await renderChart(drawn, resultOf(drawn))).at(-1)).toBe('Data: Open Food Facts (ODbL)')
  })

  test.each(charts)('$name of an empty table shows a text and no marks', async drawn => {
    const svg = await renderChart(drawn, { columns: resultOf(drawn).columns, rows: [] })
    expect(textsOf(svg)).toContain('No products yet')
    expect(marksOf(svg)).toEqual([])
  })

  test.each(charts)('$name selects exactly the columns that it draws', drawn => {
    const { sql } = drawn
    const selected = /\nSELECT\n([^;]+?)\nFROM/.exec(`\n${sql.slice(sql.lastIndexOf('\nSELECT'))}`)?.[1] ?? ''
    const names = [...selected.matchAll(/^ {2}(?:.* AS )?(\w+),?$|^ {2}\) AS (\w+),?$/gm)].map(
      ([, column, ofSeveralLines]) => column ?? ofSeveralLines,
    )
    expect(names).toEqual(resultOf(drawn).columns.map(column => column.name))
  })
})

describe('the charts of the template', async () => {
  const folder = fileURLToPath(new URL('../../../../config/templates/clickstream/charts', import.meta.url))
  const [steps, hours] = await listCharts(folder)
  const ofSteps = answer('step visits:bigint percent:double total:bigint', [
    ['Visit', 1500, 100, 1500],
    ['Basket', 780, 52, 1500],
    ['Order', 3, 0.2, 1500],
  ])
  const ofHours = answer('start_time visits:bigint total:bigint', [
    ['2026-05-04T08:00:00', 1200, 1500],
    ['2026-05-04T23:00:00', 300, 1500],
  ])

  test('show their rows, their source and the number of visits, inside the drawing', async () => {
    if (steps === undefined || hours === undefined) expect.fail('the template has two charts')
    const drawings = [await renderChart(steps, ofSteps), await renderChart(hours, ofHours, 'dark')]
    expect(drawings.map(marksOf)).toEqual([
      ['visits: 1500; step: Visit', 'visits: 780; step: Basket', 'visits: 3; step: Order'],
      ['start: 08:00; visits: 1,200; end: May 04, 2026', 'start: 23:00; visits: 300; end: May 05, 2026'],
    ])
    for (const svg of drawings) {
      expect(textsOf(svg).join('\n')).toContain('1,500 visits')
      expect(textsOf(svg).at(-1)).toBe('Data: clicks of the shop')
      expect(textBoxesIn(svg).filter(({ outside }) => outside > 0)).toEqual([])
    }
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

  test('of other data shows its source, also without rows', async () => {
    const own = chart({ mark: 'bar', usermeta: { source: 'A & B' } })
    const empty = { ...fine, rows: [] }
    expect(textsOf(await renderChart(own, fine)).at(-1)).toBe('Data: A & B')
    expect(textsOf(await renderChart(own, empty))).toEqual(['No rows yet', 'Data: A & B'])
    expect(textChart(own, empty)).toBe('drawn\nNo rows yet')
    const page = await chartPage(own, fine, 'light')
    expect(page).toContain('<footer>Data: A &amp; B</footer>')
  })

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
    expect(labelsOf(svg)).toEqual([
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
      labelsOf(await renderChart(doubled, answer(`n:${type}`, [[value]])))
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
