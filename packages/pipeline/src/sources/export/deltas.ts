import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { readState, writeState } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../../errors.ts'
import { type Input, isWebAddress } from './input.ts'

/** One file of changes. */
export interface Delta {
  /** Address or path. */
  readonly location: string
  /** The moments of its first and its last change, seconds since 1970. */
  readonly from: number
  readonly until: number
}

/** An index has 14 lines of 50 characters. */
const largestIndex = 1024 * 1024

// The names hold the moments of the first and the last change.
const deltaName = /^[\w.-]+_(\d{9,11})_(\d{9,11})\.json(?:l)?(?:\.gz)?$/

/**
 * The deltas of an index that hold changes after `until`, the oldest first, and in words what is no longer listed of
 * the time since then. Open Food Facts lists 14 days, the newest first.
 *
 * @param until seconds since 1970; null for all
 * @throws OffstreamError INDEX_INVALID
 */
export const deltasAfter = async (
  until: number | null,
  index: Input,
): Promise<{ readonly deltas: readonly Delta[]; readonly missed: string | null }> => {
  const listed = (await text(index)).split(/\s+/).filter(name => name !== '')
  const deltas = listed.map(name => delta(name, index.name)).sort((a, b) => a.until - b.until)
  const oldest = deltas[0]
  if (until === null || oldest === undefined || oldest.from <= until)
    return { deltas: deltas.filter(each => until === null || each.until > until), missed: null }
  const span = [until, oldest.from].map(seconds => new Date(seconds * 1000).toISOString())
  return {
    deltas,
    missed: `changes between ${span.join(' and ')} are no longer listed: take the full export once`,
  }
}

const delta = (name: string, index: string): Delta => {
  const [, from, until] = deltaName.exec(name) ?? []
  if (from === undefined || until === undefined) throw invalid(index, name)
  const location = isWebAddress(index) ? new URL(name, index).href : join(dirname(index), name)
  return { location, from: Number(from), until: Number(until) }
}

const text = async (index: Input): Promise<string> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of index.chunks()) {
    bytes += chunk.length
    if (bytes > largestIndex) throw invalid(index.name, 'something much longer')
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

const invalid = (index: string, line: string) =>
  new PipelineError('INDEX_INVALID', `\`${index}\` is no list of deltas: it has \`${line.slice(0, 80)}\``, {
    hint: 'give the address of `/data/delta/index.txt`',
  })

const Position = z.object({ index: z.string(), until: z.int() })

/** How far the deltas of each index were taken over, one small file for each in a folder. */
export class DeltaPosition {
  private readonly directory: string

  /** @param directory made when it is first written to */
  constructor(directory: string) {
    this.directory = directory
  }

  /** The moment of the last change that was taken over, seconds since 1970; null for none. */
  readonly read = async (index: string): Promise<number | null> =>
    (await readState(this.file(index), Position))?.until ?? null

  readonly write = (index: string, until: number): Promise<void> =>
    writeState(this.file(index), { index, until }, { durable: true })

  private readonly file = (index: string): string =>
    join(this.directory, `deltas-${createHash('sha256').update(index).digest('hex').slice(0, 12)}.json`)
}
