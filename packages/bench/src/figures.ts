import { cpus, loadavg, totalmem } from 'node:os'

/** What one contender came to over its runs: the middle, and the least and the most beside it. */
export interface Figure {
  readonly median: number
  readonly least: number
  readonly most: number
}

export const figureOf = (values: readonly number[]): Figure => {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return { median: (below + above) / 2, least: sorted[0] ?? Number.NaN, most: sorted.at(-1) ?? Number.NaN }
}

/** `8.1 (7.9–8.4)`. */
export const shown = ({ median, least, most }: Figure, digits = 1): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`

/** What must be said beside every figure: on what it was measured, and how quiet that was. */
export const machine = (): string => {
  const [{ model } = { model: 'unknown' }] = cpus()
  const load = loadavg()[0] ?? 0
  return `${cpus().length} cores (${model}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, load ${load.toFixed(1)} before`
}

/** Rows as a Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
