import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A commit of the Iceberg table. */
export interface Commit {
  readonly atMs: number
  /** `replace` rewrites files and changes no row. */
  readonly operation: string
  /** The offset after the last message in the table, if the job recorded it in the commit. */
  readonly endOffset: number | null
  readonly rows: number
  readonly dataFiles: number
  readonly deleteFiles: number
}

/** The commits of the table of products that its metadata still lists, oldest first. This does not use Spark. */
export const readCommits = async (warehouse: string): Promise<readonly Commit[]> => {
  const folder = join(warehouse, 'off', 'products', 'metadata')
  const names = (await readdir(folder)).filter(name => name.endsWith('.metadata.json'))
  const newest = names.sort((one, other) => Number.parseInt(one, 10) - Number.parseInt(other, 10)).at(-1)
  if (newest === undefined) return []
  return commitsIn(JSON.parse(await readFile(join(folder, newest), 'utf8')))
}

interface Metadata {
  readonly snapshots?: readonly {
    readonly 'timestamp-ms': number
    readonly summary: Readonly<Record<string, string>>
  }[]
}

export const commitsIn = ({ snapshots = [] }: Metadata): readonly Commit[] =>
  snapshots
    .map(({ 'timestamp-ms': atMs, summary }) => ({
      atMs,
      operation: summary['operation'] ?? '',
      endOffset: endOffsetIn(summary['offstream.offsets']),
      rows: Number(summary['total-records'] ?? 0),
      dataFiles: Number(summary['total-data-files'] ?? 0),
      deleteFiles: Number(summary['total-delete-files'] ?? 0),
    }))
    .toSorted((one, other) => one.atMs - other.atMs)

/**
 * When all messages before an offset were in the table: the time of the first commit that records this. Upkeep commits
 * later. Older versions do not record offsets, so for them it is the last commit that changed rows.
 */
export const visibleMs = (commits: readonly Commit[], end: number): number =>
  (
    commits.find(({ endOffset }) => endOffset !== null && endOffset >= end) ??
    commits.findLast(({ operation }) => operation !== 'replace')
  )?.atMs ?? Number.NaN

const endOffsetIn = (offsets: string | undefined): number | null =>
  offsets === undefined ? null : sumOf(JSON.parse(offsets))

/** The sum over all partitions of all topics. */
const sumOf = (topics: Readonly<Record<string, Readonly<Record<string, number>>>>): number =>
  Object.values(topics)
    .flatMap(partitions => Object.values(partitions))
    .reduce((sum, offset) => sum + offset, 0)

/** A batch as Spark records it before it runs it: when it started, and the offset after its last message. */
export interface Batch {
  readonly startedAtMs: number
  readonly endOffset: number
}

/** The batches in the offset log of a checkpoint, oldest first. */
export const readBatches = async (checkpoint: string): Promise<readonly Batch[]> => {
  const folder = join(checkpoint, 'offsets')
  const names = (await readdir(folder).catch(() => [])).filter(name => /^\d+$/.test(name))
  const texts = await Promise.all(
    names
      .sort((one, other) => Number(one) - Number(other))
      // The job may delete old files in the meantime.
      .map(name => readFile(join(folder, name), 'utf8').catch(() => '')),
  )
  return texts.flatMap(batchIn)
}

/** @see Spark's OffsetSeqLog: a version, the metadata, then the offsets of each source. */
export const batchIn = (text: string): readonly Batch[] => {
  const [, metadata, offsets] = text.split('\n')
  if (metadata === undefined || offsets === undefined) return []
  return [{ startedAtMs: JSON.parse(metadata).batchTimestampMs, endOffset: sumOf(JSON.parse(offsets)) }]
}
