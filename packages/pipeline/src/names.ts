/**
 * What services, logs, sources, products and grades are called. The command line lists and checks these before it knows
 * what it is asked to do, and threads that make records begin with them, so nothing may be imported here: both would
 * wait for it.
 */

/** The services in the order in which they are started and shown. `up` starts all but the last, `submit` that. */
export const serviceNames = [
  'zookeeper',
  'kafka',
  'spark-master',
  'spark-worker',
  'thrift',
  'products-stream',
] as const
export type ServiceName = (typeof serviceNames)[number]

/** Who writes a log: every service, and the daemon that owns them. */
export const logNames = [...serviceNames, 'daemon'] as const
export type LogName = (typeof logNames)[number]

/** How grave a line of a log is, gravest first. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** Where a product came from. */
export const productSources = ['web', 'api', 'export', 'topic', 'stdin'] as const

/** From best to worst. */
export const nutriScoreGrades = ['a', 'b', 'c', 'd', 'e'] as const

/** From best to worst; since 2024 the scale has an A+ above and an F below the Nutri-Score's letters. */
export const environmentalScoreGrades = ['a-plus', 'a', 'b', 'c', 'd', 'e', 'f'] as const

/**
 * A barcode as Open Food Facts files it: leading zeros go, then 7 digits or fewer are padded to 8 and 9 to 12 are
 * padded to 13 (so an EAN-8, a UPC-A and an EAN-13 of the same product meet); up to 24 digits exist.
 *
 * @returns null where `written` holds no such code.
 * @see the server's `normalize_code` in openfoodfacts-server, lib/ProductOpener/Products.pm
 */
export const normaliseCode = (written: string): string | null => {
  const digits = written.replace(/\D/g, '').replace(/^0+/, '')
  if (digits.length === 0 || digits.length > 24) return null
  if (digits.length <= 8) return digits.padStart(8, '0')
  return digits.length <= 13 ? digits.padStart(13, '0') : digits
}
