import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { TopLevelSpec } from 'vega-lite'
import { PipelineError } from '../errors.ts'
import type { QueryResult, Value } from '../table.ts'

/** A question to `Products` and how its answer is drawn. */
export interface Chart {
  /** Base name of its files: `<name>.sql`, `<name>.json` and, once rendered, `<name>.svg`. */
  readonly name: string
  /** One Spark SQL statement over the views of `config/views.sql`; its result is small, aggregated and ordered. */
  readonly sql: string
  /**
   * A Vega-Lite specification without data: the rows of the answer become its data, under the name `rows`, fields named
   * as the columns.
   */
  readonly spec: TopLevelSpec
}

/**
 * The charts of a folder, by name. Other files in it (rendered charts, a README) are left alone.
 * @throws OffstreamError CHART_INVALID where a chart lacks one of its two files or its specification can't be read
 */
export const listCharts = async (directory: string): Promise<readonly Chart[]> => {
  const files = await readdir(directory).catch(error => {
    throw invalid(`The folder of charts \`${directory}\` can't be read: ${messageOf(error)}`, error)
  })
  const named = (extension: string) =>
    files.filter(file => file.endsWith(extension)).map(file => basename(file, extension))
  const names = new Set([...named('.sql'), ...named('.json')])
  return Promise.all([...names].sort().map(name => readChart(directory, name)))
}

/**
 * A chart of these rows as the text of an SVG file, without canvas, browser, network or file access. The same chart
 * and rows give the same bytes.
 * @throws OffstreamError CHART_INVALID where the specification is not valid Vega-Lite, or brings or wants other data
 */
export const renderChart = async (chart: Chart, answer: QueryResult): Promise<string> => {
  // Loaded here: a quarter of a second that only who draws a chart should pay.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const { loader, refused } = refusingLoader()
  try {
    const { spec } = vegaLite.compile(
      { ...chart.spec, data: { name: 'rows', values: valuesOf(answer) } },
      { logger: quiet },
    )
    const view = new vega.View(vega.parse(spec), { renderer: 'none', loader, logger: quiet })
    try {
      await view.runAsync()
      const svg = await inTurn(() => {
        vega.resetSVGDefIds()
        return view.toSVG()
      })
      if (refused.length > 0) throw new Error(`it wants \`${refused[0]}\`, and may load and link nothing`)
      return `${svg}\n`
    } finally {
      view.finalize()
    }
  } catch (error) {
    throw invalid(`The chart \`${chart.name}\` can't be drawn: ${messageOf(error)}`, error)
  }
}

let lastDrawing: Promise<unknown> = Promise.resolve()

/**
 * Drawings wait for each other: Vega numbers clips and gradients by one counter of the whole process, and what is drawn
 * may not depend on what else is.
 */
const inTurn = <Drawing>(draw: () => Promise<Drawing>): Promise<Drawing> => {
  const drawing = lastDrawing.then(draw, draw)
  lastDrawing = drawing
  return drawing
}

const readChart = async (directory: string, name: string): Promise<Chart> => {
  const [sql, json] = await Promise.all(
    ['.sql', '.json'].map(extension =>
      readFile(join(directory, `${name}${extension}`), 'utf8').catch(error => {
        throw invalid(
          `The chart \`${name}\` has no readable \`${name}${extension}\`: ${messageOf(error)}`,
          error,
        )
      }),
    ),
  )
  if (sql === undefined || sql.trim() === '')
    throw invalid(`\`${name}.sql\` of the chart \`${name}\` is empty`)
  return { name, sql, spec: readSpec(name, json ?? '') }
}

const readSpec = (name: string, json: string): TopLevelSpec => {
  const spec = parseJson(name, json)
  if (!isVegaLite(spec))
    throw invalid(`\`${name}.json\` is no Vega-Lite specification: its \`$schema\` must name vega-lite`)
  if ('data' in spec || 'datasets' in spec)
    throw invalid(`\`${name}.json\` brings data of its own; the rows of \`${name}.sql\` are the data`)
  return spec
}

const parseJson = (name: string, json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw invalid(`\`${name}.json\` is no JSON: ${messageOf(error)}`, error)
  }
}

/** Only the claim is checked; whether it holds, the compiler says when the chart is drawn. */
const isVegaLite = (spec: unknown): spec is TopLevelSpec =>
  typeof spec === 'object' &&
  spec !== null &&
  '$schema' in spec &&
  typeof spec.$schema === 'string' &&
  spec.$schema.includes('/vega-lite/')

const invalid = (message: string, cause?: unknown): OffstreamError =>
  new PipelineError('CHART_INVALID', message, {
    hint: 'a chart is a pair `<name>.sql` and `<name>.json` (Vega-Lite); see `charts/README.md`',
    cause,
  })

const numericTypes = new Set(['tinyint', 'smallint', 'int', 'bigint', 'float', 'double', 'decimal'])

/**
 * Rows as Vega wants them, the one place of that conversion. `query` gives a number as text where JavaScript's can't
 * hold it exactly (large BIGINT, every DECIMAL); on a chart the nearest number is right, and by the column's SQL type
 * a barcode of digits stays text. What is not finite is null.
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

/** What XML 1.0 has no way to write (§2.2, Char): most control characters and half surrogate pairs. */
const notXml = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu

/**
 * Vega's own loader would read any file and any address that a specification names. This one gives nothing and
 * remembers what was wanted: Vega itself would go on with an empty chart.
 */
const refusingLoader = () => {
  const refused: string[] = []
  const load = (address: string) => {
    refused.push(address)
    return Promise.reject(new Error(`\`${address}\` is not loaded`))
  }
  // Vega does not catch what `sanitize`, asked for images and links, rejects with: it would end the process.
  const sanitize = async (address: string) => {
    refused.push(address)
    return { href: '' }
  }
  return { refused: refused as readonly string[], loader: { load, sanitize, http: load, file: load } }
}

/**
 * Vega writes to the console and goes on where an expression fails on a row; here an error ends the drawing. Its
 * warnings speak of rows (an empty domain, for instance), which is nothing to tell.
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
