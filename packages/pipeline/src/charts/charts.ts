import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { TopLevelSpec } from 'vega-lite'
import { PipelineError } from '../errors.ts'
import type { QueryResult, Value } from '../table.ts'

/** A query of `Products` and how its result is drawn. */
export interface Chart {
  /** The base name of its files: `<name>.sql`, `<name>.json` and, when it is rendered, `<name>.svg`. */
  readonly name: string
  /** One Spark SQL statement over the views of `config/views.sql`; the result is small, aggregated and ordered. */
  readonly sql: string
  /**
   * A Vega-Lite specification without data: the rows of the result become its data, with the name `rows` and the names of
   * the columns as fields.
   */
  readonly spec: TopLevelSpec
}

/**
 * The charts of a folder, by name. Other files (rendered charts, a README) are ignored.
 * @throws OffstreamError CHART_INVALID if one of the two files of a chart is missing or its specification cannot be read
 */
export const listCharts = async (directory: string): Promise<readonly Chart[]> => {
  const files = await readdir(directory).catch(error => {
    throw invalid(`The folder of charts \`${directory}\` cannot be read: ${messageOf(error)}`, error)
  })
  const named = (extension: string) =>
    files.filter(file => file.endsWith(extension)).map(file => basename(file, extension))
  const names = new Set([...named('.sql'), ...named('.json')])
  return Promise.all([...names].sort().map(name => readChart(directory, name)))
}

/**
 * Renders a chart of these rows as the text of an SVG file, without canvas, browser, network or file access. The same
 * chart and rows give the same bytes.
 * @throws OffstreamError CHART_INVALID if the specification is not valid Vega-Lite, or contains or loads other data
 */
export const renderChart = async (chart: Chart, result: QueryResult): Promise<string> => {
  // Loaded here: it takes a quarter of a second, and most commands draw no chart.
  const [vega, vegaLite] = await Promise.all([import('vega'), import('vega-lite')])
  const { loader, refused } = refusingLoader()
  try {
    const { spec } = vegaLite.compile(
      { ...chart.spec, data: { name: 'rows', values: valuesOf(result) } },
      { logger: quiet },
    )
    const view = new vega.View(vega.parse(spec), { renderer: 'none', loader, logger: quiet })
    try {
      await view.runAsync()
      const svg = await oneAtATime(() => {
        vega.resetSVGDefIds()
        return view.toSVG()
      })
      if (refused.length > 0) throw new Error(`it loads or links to \`${refused[0]}\`, which is not allowed`)
      return `${svg}\n`
    } finally {
      view.finalize()
    }
  } catch (error) {
    throw invalid(`The chart \`${chart.name}\` cannot be drawn: ${messageOf(error)}`, error)
  }
}

let lastDrawing: Promise<unknown> = Promise.resolve()

/**
 * Renders one drawing at a time: Vega numbers clips and gradients with one counter for the whole process, and a drawing
 * must not depend on others.
 */
const oneAtATime = <Drawing>(draw: () => Promise<Drawing>): Promise<Drawing> => {
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
    throw invalid(`\`${name}.json\` is not a Vega-Lite specification: its \`$schema\` must name vega-lite`)
  if ('data' in spec || 'datasets' in spec)
    throw invalid(`\`${name}.json\` contains data; its data are the rows of \`${name}.sql\``)
  return spec
}

const parseJson = (name: string, json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw invalid(`\`${name}.json\` is not valid JSON: ${messageOf(error)}`, error)
  }
}

/** Checks only the declared schema. The compiler checks the rest when the chart is drawn. */
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
