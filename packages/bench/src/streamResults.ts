import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { figureOf, machine, print, shown, table } from './figures.ts'
import { busyShare } from './processUsage.ts'

/** The figures of one run of a contender, by the keys of the scenario's columns. A figure may be missing. */
export type Figures = Readonly<Record<string, number>>

/** One run of one contender. */
export interface Run {
  readonly contender: string
  readonly figures: Figures
  /** The load average before the run. */
  readonly load: number
  /** Whether other processes used the processors before the run. */
  readonly busy: boolean
}

/** A point of the scenario's chart. */
export interface Point {
  readonly series: string
  readonly x: number
  readonly y: number
}

/** Everything that a scenario has measured, as it is stored. */
export interface StoredResults {
  readonly scenario: string
  readonly startedAt: string
  readonly machine: string
  readonly sizes: Readonly<Record<string, number>>
  readonly runs: readonly Run[]
  readonly points: readonly Point[]
  readonly failures: readonly Failure[]
}

/** Why a contender has no figures of one run. */
export interface Failure {
  readonly contender: string
  readonly reason: string
}

/** A column of the table of results. */
export interface ColumnOf {
  readonly key: string
  readonly title: string
  readonly digits: number
}

/** An idle stack uses a few percent. */
const maxBusyShare = 0.2

/** Waits until the processors are idle. @returns false if they are still busy after `maxSeconds` */
const settled = async (maxSeconds: number): Promise<boolean> => {
  for (let second = 0; second < maxSeconds; second += 1) if ((await busyShare()) <= maxBusyShare) return true
  return false
}

/** The results of a scenario. Each run is written to the file at once, so an interrupted bench loses nothing. */
export class Results {
  readonly #file: string
  readonly #settleSeconds: number
  #stored: StoredResults

  /** @param settleSeconds how long a run waits for an idle machine before it starts and is marked */
  constructor(
    file: string,
    scenario: string,
    sizes: Readonly<Record<string, number>>,
    settleSeconds: number,
  ) {
    this.#file = file
    this.#settleSeconds = settleSeconds
    this.#stored = {
      scenario,
      startedAt: new Date().toISOString(),
      machine: machine(),
      sizes,
      runs: [],
      points: [],
      failures: [],
    }
  }

  get stored(): StoredResults {
    return this.#stored
  }

  /** Runs a contender, and records its figures and the load of the machine before. */
  async measure(contender: string, run: () => Promise<Figures>): Promise<Figures> {
    const busy = !(await settled(this.#settleSeconds))
    const load = loadavg()[0] ?? 0
    print(`${time()} ${contender}${busy ? ' (other processes are busy)' : ''}`)
    const figures = await run()
    print(`${time()}   ${textOf(figures)}`)
    this.#stored = { ...this.#stored, runs: [...this.#stored.runs, { contender, figures, load, busy }] }
    await this.#write()
    return figures
  }

  /** Like `measure`, but if the contender fails, the others are still measured. */
  attempt(contender: string, run: () => Promise<Figures>): Promise<void> {
    return this.continueAfter(contender, () => this.measure(contender, run))
  }

  /** Carries out a step for a contender. If it fails, the reason is added to the failures. */
  async continueAfter(contender: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const reason = messageOf(error)
      print(`${time()}   failed: ${reason}`)
      this.#stored = { ...this.#stored, failures: [...this.#stored.failures, { contender, reason }] }
      await this.#write()
    }
  }

  async addPoints(points: readonly Point[]): Promise<void> {
    this.#stored = { ...this.#stored, points: [...this.#stored.points, ...points] }
    await this.#write()
  }

  async #write(): Promise<void> {
    await mkdir(dirname(this.#file), { recursive: true })
    await writeFile(this.#file, `${JSON.stringify(this.#stored, null, 1)}\n`)
  }
}

export const readResults = async (file: string): Promise<StoredResults> =>
  JSON.parse(await readFile(file, 'utf8'))

/**
 * Medians and ranges as a Markdown table: a row for each contender, or for each figure if one contender has many. A star
 * marks a contender with a run on a busy machine; the load is the highest load average before a run.
 */
export const resultTable = (runs: readonly Run[], columns: readonly ColumnOf[]): string => {
  const contenders = [...new Set(runs.map(({ contender }) => contender))]
  const rows = contenders.map(contender => {
    const all = runs.filter(run => run.contender === contender)
    return [
      `${contender}${all.some(({ busy }) => busy) ? ' \\*' : ''}`,
      ...columns.map(({ key, digits }) => cellOf(all, key, digits)),
      String(all.length),
      Math.max(...all.map(({ load }) => load)).toFixed(1),
    ]
  })
  const [head = [], ...body] = [['', ...columns.map(({ title }) => title), 'runs', 'load'], ...rows]
  if (contenders.length >= minRows || columns.length <= maxColumns) return table(head, body)
  const [turnedHead = [], ...turned] = head.map((title, index) => [
    title,
    ...body.map(row => row[index] ?? ''),
  ])
  return table(turnedHead, turned)
}

const [minRows, maxColumns] = [3, 8]

const [begin, end] = ['<!-- stream results: begin -->', '<!-- stream results: end -->']

/** Replaces the text between the two marks of a document. @throws if it does not have them */
export const insertSection = (document: string, section: string): string => {
  const [before, rest] = document.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) throw new Error('the document does not have the two marks')
  return `${before}${begin}\n\n${section}\n\n${end}${after}`
}

const cellOf = (runs: readonly Run[], key: string, digits: number): string => {
  const values = runs.flatMap(({ figures }) => figures[key] ?? [])
  if (values.length === 0) return '–'
  return values.length === 1 ? (values[0] ?? 0).toFixed(digits) : shown(figureOf(values), digits)
}

const time = (): string => new Date().toTimeString().slice(0, 8)

const textOf = (figures: Figures): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${Number.isInteger(value) ? value : value.toFixed(2)}`)
    .join(', ')

/** Reports progress. */
export const note = (text: string): void => print(`${time()} ${text}`)
