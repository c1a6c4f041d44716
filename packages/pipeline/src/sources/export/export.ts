import { countryTag } from '../../product/tags.ts'
import { Deliveries, unlessAborted } from '../deliveries.ts'
import { Remote, type RetryPolicy } from '../guest/remote.ts'
import type { ReaderOptions } from '../reader.ts'
import type { Source, SourceRun } from '../source.ts'
import { type DeltaPosition, deltasAfter } from './deltas.ts'
import { fileResults } from './format.ts'
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
  /** Origins of others to which the site of the files may redirect: where it keeps them. */
  readonly storage?: readonly string[] | undefined
  /** Names offstream and a contact: Open Food Facts asks for it. */
  readonly userAgent: string
  readonly retryPolicy?: RetryPolicy | undefined
}

export interface ExportSourceOptions extends Choice, Asking {
  /** Path or address of an export: JSONL or CSV, plain or gzip, or Parquet. */
  readonly file: string
}

export interface DeltaSourceOptions extends Choice, Asking {
  /** Address (or path) of the list of deltas, `/data/delta/index.txt`. */
  readonly index: string
  /** Where the position is kept: which deltas are in the topic already. */
  readonly position: Pick<DeltaPosition, 'read' | 'write'>
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
  run: run =>
    unlessAborted(run, async () => {
      const file = await opener(options.file, options, run)(options.file)
      await new Deliveries(run, options.limit).takeAll(fileResults(file, wanted(options)))
    }),
})

/**
 * Products from the daily deltas of Open Food Facts, the oldest first, each once: the position moves on when everything
 * of a delta was acknowledged. With a limit it stays before the delta in which the limit was reached.
 *
 * `run` throws what `exportSource` does, and INDEX_INVALID.
 */
export const deltaSource = (options: DeltaSourceOptions): Source => ({
  name: 'export',
  run: run =>
    unlessAborted(run, async () => {
      const { index, position } = options
      const deliveries = new Deliveries(run, options.limit)
      const open = opener(index, options, run)
      const { deltas, missed } = await deltasAfter(await position.read(index), await open(index))
      if (missed !== null) run.report({ kind: 'skipped', address: index, reason: missed })
      for (const { location, until } of deltas) {
        const isWhole = await deliveries.takeAll(fileResults(await open(location), wanted(options)))
        if (!isWhole) return
        await position.write(index, until)
      }
    }),
})

const wanted = ({ country, since }: Choice): ReaderOptions => ({
  ...{ source: 'export', site, since: since?.toISOString() },
  country: country === undefined ? undefined : countryTag(country),
})

/** Opens files where `first` is: on this machine, or on its site, with its storage, and nowhere else. */
const opener = (
  first: string,
  { storage, userAgent, retryPolicy }: Asking,
  { signal }: SourceRun,
): ((location: string) => Promise<Input>) => {
  if (!isWebAddress(first)) return localInput
  const remote = new Remote({ address: first, storage, userAgent, retryPolicy })
  return async location => remoteInput(location, remote, signal)
}
