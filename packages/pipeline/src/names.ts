/**
 * Names of services, logs, sources and grades. This file must not import anything: the command line needs the names
 * before it runs a command, and so do the threads that read exports. An import would slow down the start of both.
 */

/** The services, in the order in which they are started and shown; `services/table.ts` has a row for each. */
export const serviceNames = [
  'zookeeper',
  'kafka',
  'kafka-2',
  'kafka-3',
  'spark-master',
  'spark-worker',
  'spark-worker-2',
  'spark-worker-3',
  'thrift',
  'products-stream',
  'dashboard',
] as const
/** The name of a service. */
export type ServiceName = (typeof serviceNames)[number]

/** The name of a stack or a profile, which is also the name of its folder. */
export const stackNamePattern = /^[a-z0-9][a-z0-9-]{0,39}$/

/** The logs: one a service, and that of the daemon. */
export const logNames = [...serviceNames, 'daemon'] as const
/** The name of a log. */
export type LogName = (typeof logNames)[number]

/** From the most to the least severe. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const
/** The severity of a log line. */
export type LogLevel = (typeof logLevels)[number]

/**
 * The variables by which programs of the user find the stack: `offstream env` prints them. None of them has the name of
 * a setting (`OFFSTREAM_KAFKA_PORT`), because offstream itself would read it in the same shell.
 */
export const programVariables = [
  'OFFSTREAM_BROKERS',
  'OFFSTREAM_KAFKA_OPTIONS',
  'OFFSTREAM_TOPIC',
  'OFFSTREAM_MASTER',
  'OFFSTREAM_THRIFT_URL',
  'OFFSTREAM_TABLE',
  'OFFSTREAM_WAREHOUSE',
  'OFFSTREAM_CATALOG',
] as const
/** The name of such a variable. */
export type ProgramVariable = (typeof programVariables)[number]

/** Where a product comes from. */
export const productSources = ['web', 'api', 'export', 'topic', 'stdin'] as const

/** From best to worst. */
export const nutriScoreGrades = ['a', 'b', 'c', 'd', 'e'] as const

/** From best to worst; since 2024 the scale also has A+ and F. */
export const environmentalScoreGrades = ['a-plus', 'a', 'b', 'c', 'd', 'e', 'f'] as const

/**
 * A barcode as Open Food Facts stores it, without leading zeros, then padded: up to 7 digits to 8, and 9 to 12 digits to
 * 13, so that the EAN-8, UPC-A and EAN-13 of a product are equal. A barcode has up to 24 digits.
 *
 * @returns null if `written` does not contain a barcode
 * @see the server's `normalize_code` in openfoodfacts-server, lib/ProductOpener/Products.pm
 */
export const normaliseCode = (written: string): string | null => {
  const digits = written.replace(/\D/g, '').replace(/^0+/, '')
  if (digits.length === 0 || digits.length > 24) return null
  if (digits.length <= 8) return digits.padStart(8, '0')
  return digits.length <= 13 ? digits.padStart(13, '0') : digits
}

/** The projects for other subjects than products, which `init` can start; each is a folder of `templates`. */
export const templateNames = ['clickstream'] as const
/** The name of such a project. */
export type TemplateName = (typeof templateNames)[number]

/** The formats of a chart. */
export const chartFormats = ['svg', 'png', 'html', 'vega', 'text'] as const
/** The format of a chart. */
export type ChartFormat = (typeof chartFormats)[number]

/** The themes of a chart: the colours for a light or a dark background. */
export const chartThemes = ['light', 'dark'] as const
/** A theme of a chart. */
export type ChartTheme = (typeof chartThemes)[number]

/** How Tableau authenticates to the Thrift server: `username` sends any name, and no password. */
export const tableauAuths = ['none', 'username', 'ldap'] as const
/** A way to authenticate. */
export type TableauAuth = (typeof tableauAuths)[number]

/** The tools for which `offstream connect` has a guide. */
export const connectTools = [
  'tableau',
  'dbeaver',
  'superset',
  'metabase',
  'python',
  'duckdb',
  'polars',
  'jdbc',
  'dbt',
] as const
/** One of these tools. */
export type ConnectTool = (typeof connectTools)[number]

/**
 * The path of a product, station by station, with the services of each: the diagrams of the dashboard and of the README
 * show it, and `status` counts the products at each.
 */
export const stations = [
  { name: 'site', count: 'fetched', services: [] },
  { name: 'topic', count: 'acknowledged', services: ['zookeeper', 'kafka'] },
  { name: 'stream', count: 'consumed', services: ['spark-master', 'spark-worker', 'products-stream'] },
  { name: 'table', count: 'rows', services: [] },
  { name: 'thrift', count: 'visible', services: ['thrift'] },
] as const satisfies readonly {
  readonly name: string
  readonly count: string
  readonly services: readonly ServiceName[]
}[]
/** The name of a station. */
export type StationName = (typeof stations)[number]['name']
