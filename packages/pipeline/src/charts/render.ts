import { messageOf } from '@offstream/runtime'
import type { TopLevelSpec } from 'vega-lite'
import type { ChartTheme } from '../names.ts'
import type { QueryResult, Value } from '../table.ts'
import { type Chart, emptyText, invalidChart, sourceOf } from './charts.ts'
import { framed } from './frame.ts'
import { textWidth } from './textWidth.ts'
import { configOf } from './theme.ts'

/**
 * Renders a chart of these rows as the text of an SVG file, without canvas, browser, network or file access. The same
 * chart, rows and theme give the same bytes.
 * @throws OffstreamError CHART_INVALID if the specification is not valid Vega-Lite, or contains or loads other data
 */
export const renderChart = async (
  chart: Chart,
  result: QueryResult,
  theme: ChartTheme = 'light',
): Promise<string> => {
  // Loaded here: it takes a quarter of a second, and most commands draw no chart.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const { loader, refused } = refusingLoader()
  try {
    const { spec } = vegaLite.compile(completeSpec(chart, result, theme), { logger: quiet })
    // Without a canvas, Vega only estimates widths, and leaves too much or too little space for labels.
    vega.textMetrics.width = widthOf
    const view = new vega.View(vega.parse(spec), { renderer: 'none', loader, logger: quiet })
    try {
      await view.runAsync()
      const svg = await oneAtATime(() => {
        vega.resetSVGDefIds()
        return view.toSVG()
      })
      if (refused.length > 0) throw new Error(`it loads or links to \`${refused[0]}\`, which is not allowed`)
      const description = chart.spec.description ?? ''
      return framed(svg, { theme, title: titleOf(chart), description, source: sourceOf(chart) })
    } finally {
      view.finalize()
    }
  } catch (error) {
    throw invalidChart(`The chart \`${chart.name}\` cannot be drawn: ${messageOf(error)}`, error)
  }
}

/** The specification with its rows and its theme, which the Vega editor or any program for Vega-Lite can draw. */
export const completeSpec = (chart: Chart, result: QueryResult, theme: ChartTheme): TopLevelSpec => {
  const values = valuesOf(result)
  const spec = values.length === 0 ? emptySpec(chart) : chart.spec
  return { ...spec, config: { ...configOf(theme), ...spec.config }, data: { name: 'rows', values } }
}

/** The question that a chart answers, which is its title. */
export const titleOf = ({ name, spec: { title } }: Chart): string => {
  const text = typeof title === 'object' && title !== null && 'text' in title ? title.text : title
  if (typeof text === 'string') return text
  return Array.isArray(text) ? text.join(' ') : name
}

/** The chart of an empty table: its subtitle and its scales need rows. */
const emptySpec = (chart: Chart): TopLevelSpec => ({
  ...(chart.spec.$schema === undefined ? {} : { $schema: chart.spec.$schema }),
  ...(chart.spec.description === undefined ? {} : { description: chart.spec.description }),
  title: titleOf({ ...chart, name: '' }),
  width: 560,
  height: 160,
  layer: [
    {
      data: { values: [{}] },
      mark: { type: 'text', style: 'note', fontSize: 14, text: emptyText(chart) },
    },
  ],
})

/** The properties of a text that determine its width. */
interface TextItem {
  readonly fontSize?: number
  readonly fontWeight?: string | number
}

declare module 'vega' {
  // The types of Vega lack it.
  const textMetrics: { width: (item: TextItem, text: unknown) => number }
}

const widthOf = ({ fontSize = 11, fontWeight }: TextItem, text: unknown): number =>
  textWidth(String(text ?? ''), fontSize, fontWeight === 'bold' || Number(fontWeight) >= 600)

let lastDrawing: Promise<unknown> = Promise.resolve()

/**
 * Renders one drawing at a time: Vega numbers clips and gradients with one counter for the whole process, but a drawing
 * must not depend on others.
 */
const oneAtATime = <Drawing>(draw: () => Promise<Drawing>): Promise<Drawing> => {
  const drawing = lastDrawing.then(draw, draw)
  lastDrawing = drawing
  return drawing
}

export const numericTypes = new Set(['tinyint', 'smallint', 'int', 'bigint', 'float', 'double', 'decimal'])

/**
 * Converts rows for Vega. `query` returns a number as text if JavaScript cannot represent it (large BIGINT, every DECIMAL).
 * A chart needs the nearest number. The SQL type of the column decides, so a barcode of digits stays text. A number that
 * is not finite becomes null.
 */
const valuesOf = ({ columns, rows }: QueryResult): Record<string, Value>[] =>
  rows.map(row =>
    Object.fromEntries(
      columns.map(({ name, type }, index) => [name, drawable(row[index] ?? null, numericTypes.has(type))]),
    ),
  )

const drawable = (value: Value, isNumeric: boolean): Value => {
  if (value === null) return null
  if (!isNumeric) return typeof value === 'string' ? value.replace(notXml, '\uFFFD') : value
  const number = Number(value)
  return Number.isFinite(number) ? number : null
}

/** Characters that XML 1.0 cannot contain (§2.2, Char): most control characters, and unpaired surrogates. */
const notXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu

/**
 * Vega's own loader reads any file and address in a specification. This loader loads nothing and records the requests,
 * because Vega would draw an empty chart without an error.
 */
const refusingLoader = () => {
  const refused: string[] = []
  const load = (address: string) => {
    refused.push(address)
    return Promise.reject(new Error(`\`${address}\` is not loaded`))
  }
  // Vega calls `sanitize` for images and links, and does not catch its rejection, which would end the process.
  const sanitize = async (address: string) => {
    refused.push(address)
    return { href: '' }
  }
  return { refused: refused as readonly string[], loader: { load, sanitize, http: load, file: load } }
}

/**
 * If an expression fails on a row, Vega logs it to the console and continues. Here an error stops the drawing. Warnings
 * are about rows (such as an empty domain) and are ignored.
 */
const quiet = {
  level() {
    return this
  },
  error(...reasons: readonly unknown[]): never {
    throw new Error(reasons.map(messageOf).join(' '))
  },
  warn() {
    return this
  },
  info() {
    return this
  },
  debug() {
    return this
  },
}
