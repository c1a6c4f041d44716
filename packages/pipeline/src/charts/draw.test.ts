import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { TopLevelSpec } from 'vega-lite'
import { expect, test } from 'vitest'
import { chartFormats } from '../names.ts'
import type { QueryResult } from '../table.ts'
import type { Chart } from './charts.ts'
import { chartFile, drawChart } from './draw.ts'
import { renderChart } from './render.ts'
import { sfntOf } from './sfnt.ts'
import { textChart } from './textChart.ts'

const chart: Chart = {
  name: 'products-by-grade',
  sql: "SELECT grade, count(*) AS products FROM Products WHERE brands <> '<b>' GROUP BY grade",
  spec: {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: 'How many products <i>are</i> there?',
    mark: 'bar',
    encoding: { x: { field: 'products', type: 'quantitative' }, y: { field: 'grade', type: 'nominal' } },
  } as TopLevelSpec,
}
const result: QueryResult = {
  columns: [
    { name: 'grade', type: 'string' },
    { name: 'products', type: 'bigint' },
  ],
  rows: [
    ['a', 1200],
    ['b & c', 300],
    [null, 0],
  ],
}

test('the name of a file shows the format and the dark theme', () => {
  const names = chartFormats.flatMap(format => [
    chartFile('a', { format, theme: 'light' }),
    chartFile('a', { format, theme: 'dark' }),
  ])
  expect(names).toEqual([
    ...['a.svg', 'a-dark.svg', 'a.png', 'a-dark.png', 'a.html', 'a-dark.html'],
    ...['a.vl.json', 'a-dark.vl.json', 'a.txt', 'a-dark.txt'],
  ])
})

test('a PNG has twice the size of the drawing, the background of its theme, and text', async () => {
  const { Resvg } = await import('@resvg/resvg-js')
  const [svg, png] = await Promise.all([
    renderChart(chart, result, 'dark'),
    drawChart(chart, result, { format: 'png', theme: 'dark' }),
  ])
  const bytes = Buffer.from(png)
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg) ?? []
  expect([bytes.subarray(1, 4).toString(), bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([
    'PNG',
    2 * Number(width),
    2 * Number(height),
  ])
  // The renderer also reads images in an SVG file, so it returns the pixels of our PNG.
  const { pixels } = new Resvg(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">` +
      `<image width="${width}" height="${height}" href="data:image/png;base64,${bytes.toString('base64')}"/></svg>`,
  ).render()
  expect([...pixels.subarray(0, 4)]).toEqual([13, 17, 23, 255])
  const textless = await drawChart({ ...chart, spec: { ...chart.spec, title: '' } }, result, {
    format: 'png',
    theme: 'dark',
  })
  expect(bytes.equals(Buffer.from(textless))).toBe(false)
})

test('a page contains the drawing, the rows and the SQL, and loads nothing', async () => {
  const page = String(await drawChart(chart, result, { format: 'html', theme: 'light' }))
  expect(page).toContain(await renderChart(chart, result))
  expect(page).toContain('<tr><td>b &amp; c</td><td class="number">300</td></tr>')
  expect(page).toContain('brands &lt;&gt; &#39;&lt;b&gt;&#39;')
  expect(page).toContain('<title>How many products &lt;i&gt;are&lt;/i&gt; there?</title>')
  expect(page.match(/<(script|img|link|iframe)\b|\bsrc=|url\(|@import/g)).toBeNull()
})

test('a specification with its rows gives the same drawing', async () => {
  const vega = await import('vega')
  const { compile } = await import('vega-lite')
  const spec = JSON.parse(String(await drawChart(chart, result, { format: 'vega', theme: 'dark' })))
  expect(spec.data.values).toEqual([
    { grade: 'a', products: 1200 },
    { grade: 'b & c', products: 300 },
    { grade: null, products: 0 },
  ])
  const view = new vega.View(vega.parse(compile(spec).spec), { renderer: 'none' })
  const drawing = (await view.toSVG()).replace(/^<svg [^>]*>/, '').replace(/<\/svg>$/, '')
  expect(await renderChart(chart, result, 'dark')).toContain(drawing)
})

test('a text chart has a bar for each row, in the width of the terminal', () => {
  expect(textChart(chart, result, 40)).toBe(
    [
      'How many products <i>are</i> there?',
      'grade    products',
      'a        ████████████████████████ 1,200',
      'b & c    ██████ 300',
      'unknown   0',
    ].join('\n'),
  )
})

test('a text chart of an empty table shows that no products exist', () => {
  expect(textChart(chart, { ...result, rows: [] })).toBe(
    'How many products <i>are</i> there?\nNo products yet',
  )
})

test('a text chart shows control characters as �, and truncates long labels', () => {
  const rows = [[`\u001b[31m${'x'.repeat(60)}`, 1]]
  expect(
    textChart(chart, { ...result, rows }, 60)
      .split('\n')
      .at(-1),
  ).toBe(`�[31m${'x'.repeat(38)}…  ${'█'.repeat(11)} 1`)
})

test('a WOFF font becomes a TrueType font with the same tables', async () => {
  const path = createRequire(import.meta.url).resolve('@fontsource/inter/files/inter-latin-400-normal.woff')
  const woff = await readFile(path)
  const font = sfntOf(woff)
  const tags = Array.from({ length: font.readUInt16BE(4) }, (_, at) => {
    const [tag, offset, length] = [
      font.toString('latin1', 12 + 16 * at, 16 + 16 * at),
      font.readUInt32BE(20 + 16 * at),
      font.readUInt32BE(24 + 16 * at),
    ]
    expect([offset % 4, offset + length <= font.length]).toEqual([0, true])
    return tag
  })
  expect(tags).toEqual(expect.arrayContaining(['cmap', 'glyf', 'head', 'hmtx', 'name']))
  expect(font.length).toBe(woff.readUInt32BE(16))
})
