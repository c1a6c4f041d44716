import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { readState, writeState } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../../errors.ts'
import { type Input, isWebAddress } from './input.ts'

/** One file of changes. */
export interface Delta {
  /** Its address or path. */
  readonly location: string
  /** The times of its first and last change, in seconds since 1970. */
  readonly from: number
  readonly until: number
}

/** A real index has 14 lines of 50 characters. */
const maxIndexBytes = 1024 * 1024

// The names contain the times of the first and the last change.
const deltaName = /^[\w.-]+_(\d{9,11})_(\d{9,11})\.json(?:l)?(?:\.gz)?$/

/**
 * The deltas of an index with changes after `until`, the oldest first. `missed` is a message if the index no longer
 * lists all changes since then: Open Food Facts lists 14 days, the newest first.
 *
 * @param until in seconds since 1970; null for all deltas
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
    missed: `changes between ${span.join(' and ')} are no longer listed: read the full export once`,
  }
}

const delta = (name: string, index: string): Delta => {
  const [, from, until] = deltaName.exec(name) ?? []
  if (from === undefined || until === undefined) throw invalid(index, `it contains \`${name.slice(0, 80)}\``)
  const location = isWebAddress(index) ? new URL(name, index).href : join(dirname(index), name)
  return { location, from: Number(from), until: Number(until) }
}

const text = async (index: Input): Promise<string> => {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of index.chunks()) {
    bytes += chunk.length
    if (bytes > maxIndexBytes) throw invalid(index.name, 'it is larger than 1 MiB')
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}

const invalid = (index: string, reason: string) =>
  new PipelineError('INDEX_INVALID', `\`${index}\` is not an index of deltas: ${reason}`, {
    hint: 'use the address of `/data/delta/index.txt`',
  })

const Position = z.object({ index: z.string(), until: z.int() })

/** The positions in indexes of deltas, one file for each index. */
export class DeltaPosition {
  private readonly directory: string

  /** @param directory created with the first file */
  constructor(directory: string) {
    this.directory = directory
  }

  /** The time of the last change that was delivered, in seconds since 1970; null for none. */
  readonly read = async (index: string): Promise<number | null> =>
    (await readState(this.file(index), Position))?.until ?? null

  /** Saves the position, durably. */
  readonly write = (index: string, until: number): Promise<void> =>
    writeState(this.file(index), { index, until }, { durable: true })

  private readonly file = (index: string): string =>
    join(this.directory, `deltas-${createHash('sha256').update(index).digest('hex').slice(0, 12)}.json`)
}
