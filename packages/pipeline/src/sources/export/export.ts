import { countryTag } from '../../product/countries.ts'
import type { PublishRules } from '../../product/productOf.ts'
import { Deliveries, unlessAborted } from '../deliveries.ts'
import { Remote, type RetryPolicy } from '../guest/remote.ts'
import type { ReaderOptions } from '../reader.ts'
import type { Source, SourceRun } from '../source.ts'
import { type DeltaPosition, deltasAfter } from './deltas.ts'
import { fileResults } from './format.ts'
import { type Input, isWebAddress, localInput, remoteInput } from './input.ts'

interface Filters {
  /** Only products sold in this country: a tag (`en:france`), an English name, or a code of two letters. */
  readonly country?: string | undefined
  /** Only products that changed at this moment or later. */
  readonly since?: Date | undefined
  /** The maximum number of products to deliver. */
  readonly limit?: number | undefined
  readonly rules?: PublishRules | undefined
}

interface Access {
  /** Origins of other hosts that the site may redirect to, because it stores its files there. */
  readonly storage?: readonly string[] | undefined
  /** Names offstream and a contact, as Open Food Facts requires. */
  readonly userAgent: string
  readonly retryPolicy?: RetryPolicy | undefined
}

/** Options of `exportSource`. */
export interface ExportSourceOptions extends Filters, Access {
  /** The path or address of an export: JSON or CSV, plain or gzip, or Parquet; `-` for standard input. */
  readonly file: string
}

/** Options of `deltaSource`. */
export interface DeltaSourceOptions extends Filters, Access {
  /** The address or path of the index of deltas, `/data/delta/index.txt`. */
  readonly index: string
  /** Stores which deltas are in the topic already. */
  readonly position: Pick<DeltaPosition, 'read' | 'write'>
}

/** The site with the pages of exported products. */
const site = 'https://world.openfoodfacts.org'

/**
 * Products from an export of Open Food Facts, in constant memory: it is read as fast as Kafka acknowledges.
 *
 * A line that is not a product is skipped and reported with its number. `run` throws OffstreamError FILE_MISSING,
 * FORMAT_UNKNOWN, FILE_DAMAGED, for Parquet FILE_TRUNCATED, and for a file on a site SITE_UNREACHABLE, SOURCE_BLOCKED,
 * REDIRECTED_ELSEWHERE, RANGES_UNSUPPORTED. Products before the error are delivered.
 */
export const exportSource = (options: ExportSourceOptions): Source => ({
  name: 'export',
  run: run =>
    unlessAborted(run, async () => {
      const file = await opener(options.file, options, run)(options.file)
      await new Deliveries(run, options.limit).deliverAll(fileResults(file, readerOptions(options)))
    }),
})

/**
 * Products from the daily deltas of Open Food Facts, the oldest first, each once. The position is saved when all products
 * of a delta are acknowledged, so it stays before a delta in which the limit was reached, and before a truncated delta, which
 * is the last that is read.
 *
 * `run` throws the errors of `exportSource`, and INDEX_INVALID.
 */
export const deltaSource = (options: DeltaSourceOptions): Source => ({
  name: 'export',
  run: run =>
    unlessAborted(run, async () => {
      const { index, position } = options
      const deliveries = new Deliveries(run, options.limit)
      const open = opener(index, options, run)
      const { deltas, missed } = await deltasAfter(await position.read(index), await open(index))
      if (missed !== null)
        run.report({ kind: 'skipped', address: index, skippedBy: 'changes-missing', reason: missed })
      for (const { location, until } of deltas) {
        const isWhole = await deliveries.deliverAll(fileResults(await open(location), readerOptions(options)))
        if (!isWhole) return
        await position.write(index, until)
      }
    }),
})

const readerOptions = ({ country, since, rules }: Filters): ReaderOptions => ({
  ...{ source: 'export', site, since: since?.toISOString(), rules },
  country: country === undefined ? undefined : countryTag(country),
})

/** Opens files on this machine, or on the site of `first` and its storage; nowhere else. */
const opener = (
  first: string,
  { storage, userAgent, retryPolicy }: Access,
  { signal }: SourceRun,
): ((location: string) => Promise<Input>) => {
  if (!isWebAddress(first)) return location => localInput(location, signal)
  const remote = new Remote({ address: first, storage, userAgent, retryPolicy })
  return async location => remoteInput(location, remote, signal)
}
