import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { TopLevelSpec } from 'vega-lite'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'

/** A query and how its result is drawn. */
export interface Chart {
  /** The base name of its files: `<name>.sql`, `<name>.json` and, when it is rendered, `<name>.svg`. */
  readonly name: string
  /** One Spark SQL statement, such as over the views of `config/views.sql`; its result is small, aggregated and ordered. */
  readonly sql: string
  /**
   * A Vega-Lite specification without data: the rows of the result become its data, with the name `rows` and the names of
   * the columns as fields. Its `usermeta.source` names the source of the data.
   */
  readonly spec: TopLevelSpec
}

/** The name of the source of a chart's data, for its drawing; null for products of Open Food Facts. */
export const sourceOf = ({ spec }: Chart): string | null => Source.parse(spec.usermeta ?? {}).source

const Source = z.looseObject({ source: z.string().min(1).nullable().default(null) })

/** What the drawing of a chart without rows says. */
export const emptyText = (chart: Chart): string =>
  sourceOf(chart) === null ? 'No products yet' : 'No rows yet'

/** The extension of a specification with its rows, which `offstream charts --format vega` writes. */
export const completeExtension = '.vl.json'

/**
 * The charts of a folder, by name. Other files (rendered charts, a README) are ignored.
 * @throws OffstreamError CHART_INVALID if one of the two files of a chart is missing or its specification cannot be read
 */
export const listCharts = async (directory: string): Promise<readonly Chart[]> => {
  const files = await readdir(directory).catch(error => {
    throw invalidChart(`The folder of charts \`${directory}\` cannot be read: ${messageOf(error)}`, error)
  })
  const named = (extension: string) =>
    files
      .filter(file => file.endsWith(extension) && !file.endsWith(completeExtension))
      .map(file => basename(file, extension))
  const names = new Set([...named('.sql'), ...named('.json')])
  return Promise.all([...names].sort().map(name => readChart(directory, name)))
}

const readChart = async (directory: string, name: string): Promise<Chart> => {
  const [sql, json] = await Promise.all(
    ['.sql', '.json'].map(extension =>
      readFile(join(directory, `${name}${extension}`), 'utf8').catch(error => {
        throw invalidChart(
          `The chart \`${name}\` has no readable \`${name}${extension}\`: ${messageOf(error)}`,
          error,
        )
      }),
    ),
  )
  if (sql === undefined || sql.trim() === '')
    throw invalidChart(`\`${name}.sql\` of the chart \`${name}\` is empty`)
  return { name, sql, spec: readSpec(name, json ?? '') }
}

const readSpec = (name: string, json: string): TopLevelSpec => {
  const spec = parseJson(name, json)
  if (!isVegaLite(spec))
    throw invalidChart(
      `\`${name}.json\` is not a Vega-Lite specification: its \`$schema\` must name vega-lite`,
    )
  if ('data' in spec || 'datasets' in spec)
    throw invalidChart(`\`${name}.json\` contains data; its data are the rows of \`${name}.sql\``)
  if (!Source.safeParse(spec.usermeta ?? {}).success)
    throw invalidChart(`\`usermeta.source\` in \`${name}.json\` must be text: the source of the data`)
  return spec
}

const parseJson = (name: string, json: string): unknown => {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw invalidChart(`\`${name}.json\` is not valid JSON: ${messageOf(error)}`, error)
  }
}

/** Checks only the declared schema. The compiler checks the rest when the chart is drawn. */
const isVegaLite = (spec: unknown): spec is TopLevelSpec =>
  typeof spec === 'object' &&
  spec !== null &&
  '$schema' in spec &&
  typeof spec.$schema === 'string' &&
  spec.$schema.includes('/vega-lite/')

export const invalidChart = (message: string, cause?: unknown): OffstreamError =>
  new PipelineError('CHART_INVALID', message, {
    hint: 'a chart is a pair `<name>.sql` and `<name>.json` (Vega-Lite); see `charts/README.md`',
    cause,
  })
