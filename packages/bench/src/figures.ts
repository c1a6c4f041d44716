import { cpus, loadavg, totalmem } from 'node:os'

/** The values of one contender over all runs. */
export interface Figure {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const figureOf = (values: readonly number[]): Figure => {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length / 2
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return { median: (below + above) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}

/** `8.1 (7.9–8.4)`. */
export const shown = ({ median, min, max }: Figure, digits = 1): string =>
  `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`

/** The median of the first contender divided by that of the second: below 1, the first is faster. */
export const ratio = (one: readonly number[] = [], other: readonly number[] = []): string =>
  (figureOf(one).median / figureOf(other).median).toFixed(2)

/** The machine and its load, which every published figure must name. */
export const machine = (): string => {
  const [{ model } = { model: 'unknown' }] = cpus()
  const load = loadavg()[0] ?? 0
  return `${cpus().length} cores (${model}), ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Node ${process.version}, load ${load.toFixed(1)} before`
}

/** Rows as a Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

export const print = (text: string): void => void process.stdout.write(`${text}\n`)
