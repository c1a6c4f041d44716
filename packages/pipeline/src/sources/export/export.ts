import { Flight } from '../flight.ts'
import { type JsonObject, textsOf } from '../record/json.ts'
import { countryTag } from '../record/names.ts'
import { productOf, type Reading, type RecordContext } from '../record/productOf.ts'
import { Remote } from '../remote.ts'
import type { Source, SourceRun } from '../source.ts'
import { type Delta, type DeltaPosition, deltasAfter } from './deltas.ts'
import { type Entry, entriesOf } from './format.ts'
import { type Input, isWebAddress, localInput, remoteInput } from './input.ts'

interface Choice {
  /** Only products sold there: a tag (`en:france`), a name in English, or a code of two letters. */
  readonly country?: string | undefined
  /** Only products that changed then or later. */
  readonly since?: Date | undefined
  /** How many products to deliver at most. */
  readonly limit?: number | undefined
}

interface Asking {
  /** Names offstream and a contact: Open Food Facts asks for it. */
  readonly userAgent: string
  /** See `Remote`. */
  readonly firstPauseMs?: number | undefined
}

export interface ExportSourceOptions extends Choice, Asking {
  /** Path or address of an export: JSONL or CSV, plain or gzip, or Parquet. */
  readonly file: string
}

export interface DeltaSourceOptions extends Choice, Asking {
  /** Address (or path) of the list of deltas, `/data/delta/index.txt`. */
  readonly index: string
  /** Where the position is kept: which deltas are in the topic already. */
  readonly position: DeltaPosition
}

/** Where the products of exports have their pages. */
const site = 'https://world.openfoodfacts.org'

/**
 * Products from one of Open Food Facts' exports, in constant memory: as much is read as Kafka takes.
 *
 * A line that is no product is skipped and told, with its number. `run` throws OffstreamError FILE_MISSING,
 * FORMAT_UNKNOWN, FILE_TRUNCATED, FILE_DAMAGED, and for a file on a site SITE_UNREACHABLE, SOURCE_BLOCKED,
 * REDIRECTED_ELSEWHERE, RANGES_UNSUPPORTED; what stood before the trouble has been delivered by then.
 */
export const exportSource = (options: ExportSourceOptions): Source => ({
  name: 'export',
  run: async run => {
    const intake = new Intake(options, run)
    await ending(run, async () => {
      const remote = isWebAddress(options.file) ? newRemote(options.file, options) : null
      await intake.take(await openInput(options.file, remote, run.signal))
    })
  },
})

/**
 * Products from the daily deltas of Open Food Facts, the oldest first, each once: the position moves on when everything
 * of a delta was acknowledged. With a limit it stays before the delta in which the limit was reached.
 *
 * `run` throws what `exportSource` does, and INDEX_INVALID.
 */
export const deltaSource = (options: DeltaSourceOptions): Source => ({
  name: 'export',
  run: async run => {
    const intake = new Intake(options, run)
    await ending(run, async () => {
      const remote = isWebAddress(options.index) ? newRemote(options.index, options) : null
      const index = await openInput(options.index, remote, run.signal)
      const until = await options.position.read(options.index)
      const { deltas, missed } = await deltasAfter(until, index)
      if (missed !== null) run.report({ kind: 'skipped', address: options.index, reason: missed })
      for (const delta of deltas) {
        const isWhole = await intake.take(await openInput(delta.location, remote, run.signal))
        if (!isWhole) return
        await options.position.write(options.index, delta.until)
      }
    })
  },
})

export type { Delta }

const newRemote = (address: string, { userAgent, firstPauseMs }: Asking): Remote =>
  new Remote({ address, userAgent, firstPauseMs })

const openInput = async (location: string, remote: Remote | null, signal: AbortSignal): Promise<Input> =>
  remote === null ? localInput(location) : remoteInput(location, remote, signal)

/** Whatever an abort tore apart is no news. */
const ending = async ({ signal }: SourceRun, work: () => Promise<void>): Promise<void> => {
  try {
    if (!signal.aborted) await work()
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** Takes the products of files to their deliveries, until the limit is reached. */
class Intake {
  private readonly run: SourceRun
  private readonly context: RecordContext
  private readonly country: string | null
  private readonly since: string | null
  private left: number

  constructor({ country, since, limit = Number.POSITIVE_INFINITY }: Choice, run: SourceRun) {
    this.run = run
    this.context = { source: 'export', observedAt: new Date().toISOString(), site }
    this.country = country === undefined ? null : countryTag(country)
    this.since = since?.toISOString() ?? null
    this.left = limit
  }

  /**
   * Delivers what is wanted of a file.
   * @returns whether it came to the end of the file and everything was acknowledged
   */
  readonly take = async (input: Input): Promise<boolean> => {
    const flight = new Flight()
    try {
      for await (const entries of entriesOf(input)) {
        const isEnough = await this.takeSome(entries, input.name, flight)
        if (isEnough || this.run.signal.aborted) return false
      }
    } finally {
      await flight.landed()
    }
    return !this.run.signal.aborted
  }

  /** @returns whether the limit is reached */
  private readonly takeSome = async (
    entries: readonly Entry[],
    name: string,
    flight: Flight,
  ): Promise<boolean> => {
    const readings = this.read(entries)
    this.run.report({ kind: 'found', count: readings.length })
    for (const { place, reading } of readings) {
      const address = `${name}:${place}`
      if (reading.kind === 'unreadable') {
        this.run.report({ kind: 'skipped', address, reason: reading.reason })
        continue
      }
      const isFull = this.hand(reading, address, flight)
      if (isFull !== null) await isFull
      this.left -= 1
      if (this.run.signal.aborted) break
    }
    return this.left <= 0
  }

  /** What is wanted of `entries`, as records, no more than the limit leaves. */
  private readonly read = (entries: readonly Entry[]): Placed[] => {
    const readings: Placed[] = []
    let products = 0
    for (const entry of entries) {
      if (products >= this.left) break
      const reading = this.readingOf(entry)
      if (reading === null) continue
      if (reading.kind !== 'unreadable') products += 1
      readings.push({ place: entry.place, reading })
    }
    return readings
  }

  /** Null for what is not asked for. */
  private readonly readingOf = (entry: Entry): Reading | null => {
    if ('problem' in entry) return { kind: 'unreadable', reason: entry.problem }
    if (this.country !== null && !soldIn(entry.value, this.country)) return null
    const reading = productOf(entry.value, this.context)
    if (this.since !== null && reading.kind !== 'unreadable' && asOf(reading) < this.since) return null
    return reading
  }

  private readonly hand = (
    reading: Exclude<Reading, { kind: 'unreadable' }>,
    address: string,
    flight: Flight,
  ): Promise<void> | null => {
    const { deliver, remove, report } = this.run
    if (reading.kind === 'product') {
      report({ kind: 'fetched', code: reading.product.code, address })
      return flight.add(deliver(reading.product))
    }
    const { code, as_of } = reading
    if (remove === undefined) {
      report({ kind: 'skipped', address, reason: 'the product is obsolete' })
      return null
    }
    report({ kind: 'fetched', code, address })
    return flight.add(remove({ code, as_of, source: 'export' }))
  }
}

interface Placed {
  readonly place: number
  readonly reading: Reading
}

const asOf = (reading: Exclude<Reading, { kind: 'unreadable' }>): string =>
  reading.kind === 'product' ? reading.product.as_of : reading.as_of

const soldIn = (product: JsonObject, country: string): boolean =>
  textsOf(product['countries_tags']).some(tag => tag.trim() === country)
