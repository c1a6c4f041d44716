import { z } from 'zod'
import type { Offsets } from '../services/streamProgress.ts'
import { type QueryOptions, query, type ThriftAddress, type Value } from '../table.ts'

/** The tables, by their names in the catalog `lake`. */
const tables = ['off.products', 'off.rejected'] as const

/** A table as its catalog describes it. */
export interface TableOverview {
  readonly name: string
  readonly rows: number
  readonly dataFiles: number
  /** Files that list the deleted or replaced rows of data files. */
  readonly deleteFiles: number
  /** Size of both kinds of files. */
  readonly bytes: number
  readonly snapshots: number
  /** ISO 8601; null if the table has no commit. */
  readonly lastCommitAt: string | null
}

/** A version of the table of products. */
export interface Snapshot {
  /** A 64-bit number, which a JavaScript number cannot hold. */
  readonly id: string
  readonly parentId: string | null
  /** ISO 8601. */
  readonly committedAt: string
  /** Iceberg's name: `append`, `overwrite`, `replace` (compaction), `delete`. */
  readonly operation: string
  readonly addedRows: number
  /** Rows that were deleted or replaced. */
  readonly deletedRows: number
  /** The batch of the stream that wrote it, and its query; null for SQL statements. */
  readonly batchId: number | null
  readonly queryId: string | null
  /** All messages before these offsets are in the table. */
  readonly offsets: Offsets | null
  /** The topic of the offsets. */
  readonly topicId: string | null
}

/** The versions of the table of products. */
export interface History {
  /** Every snapshot that exists, newest first. */
  readonly snapshots: readonly Snapshot[]
  /** The current snapshot and those that it continues, newest first. */
  readonly current: readonly Snapshot[]
}

/** Describes the tables. @throws OffstreamError THRIFT_UNREACHABLE, SQL_FAILED, TABLE_MISSING */
export const describeTables = (
  thrift: ThriftAddress,
  options: QueryOptions = {},
): Promise<readonly TableOverview[]> =>
  Promise.all(
    tables.map(async name => {
      const { rows } = await query(thrift, overviewQuery(`lake.${name}`), options)
      const [count, dataFiles, deleteFiles, bytes, snapshots, lastCommit] = rows[0] ?? []
      return {
        name: `lake.${name}`,
        ...{ rows: Number(count), dataFiles: Number(dataFiles), deleteFiles: Number(deleteFiles) },
        ...{ bytes: Number(bytes ?? 0), snapshots: Number(snapshots) },
        lastCommitAt: lastCommit == null ? null : timeOf(lastCommit),
      }
    }),
  )

const overviewQuery = (table: string): string => `
SELECT
  (SELECT count(*) FROM ${table}),
  count_if(content = 0),
  count_if(content <> 0),
  sum(file_size_in_bytes),
  (SELECT count(*) FROM ${table}.snapshots),
  (SELECT max(unix_millis(committed_at)) FROM ${table}.snapshots)
FROM ${table}.files`

/** Reads the history of the table of products. @throws OffstreamError as `describeTables` */
export const readHistory = async (thrift: ThriftAddress, options: QueryOptions = {}): Promise<History> => {
  const { rows } = await query(thrift, historyQuery, options)
  const snapshots = rows.map(snapshotOf)
  const byId = new Map(snapshots.map(snapshot => [snapshot.id, snapshot]))
  const current: Snapshot[] = []
  const main = rows.find(row => row.at(-1) === true)
  for (
    let next = byId.get(String(main?.[0]));
    next !== undefined;
    next = next.parentId === null ? undefined : byId.get(next.parentId)
  )
    current.push(next)
  return { snapshots, current }
}

const property = (name: string): string => `summary['${name}']`

const historyQuery = `
SELECT
  cast(snapshot_id AS string),
  cast(parent_id AS string),
  unix_millis(committed_at),
  operation,
  ${property('added-records')},
  ${property('added-position-deletes')},
  ${property('deleted-records')},
  ${property('offstream.batch-id')},
  ${property('offstream.query-id')},
  ${property('offstream.offsets')},
  ${property('offstream.topic-id')},
  snapshot_id = (SELECT snapshot_id FROM lake.off.products.refs WHERE name = 'main')
FROM lake.off.products.snapshots
ORDER BY committed_at DESC`

const OffsetsText = z.record(z.string(), z.record(z.string(), z.int()))

const snapshotOf = (row: readonly Value[]): Snapshot => {
  const [id, parentId, at, operation, added, positionDeletes, deleted, batchId, queryId, offsets, topicId] =
    row
  return {
    ...{
      id: String(id),
      parentId: textOf(parentId),
      committedAt: timeOf(at ?? 0),
      operation: String(operation),
    },
    ...{ addedRows: Number(added ?? 0), deletedRows: Number(positionDeletes ?? 0) + Number(deleted ?? 0) },
    ...{ batchId: batchId == null ? null : Number(batchId), queryId: textOf(queryId) },
    offsets: offsets == null ? null : OffsetsText.parse(JSON.parse(String(offsets))),
    topicId: textOf(topicId),
  }
}

const textOf = (value: Value | undefined): string | null => (value == null ? null : String(value))

const timeOf = (milliseconds: Value): string => new Date(Number(milliseconds)).toISOString()

/** Makes an older snapshot the current one. Newer snapshots remain until they expire. */
export const rollBackTo = async (
  thrift: ThriftAddress,
  snapshotId: string,
  options: QueryOptions = {},
): Promise<void> =>
  void (await query(
    thrift,
    `CALL lake.system.rollback_to_snapshot('off.products', ${BigInt(snapshotId)})`,
    options,
  ))

/** Rewrites the files of the tables into few large ones without deleted rows. */
export const rewriteFiles = async (thrift: ThriftAddress, options: QueryOptions = {}): Promise<void> => {
  for (const table of tables) {
    const target = `table => '${table}'`
    await query(
      thrift,
      `CALL lake.system.rewrite_data_files(${target}, options => map('rewrite-all', 'true', 'remove-dangling-deletes', 'true'))`,
      options,
    )
    await query(thrift, `CALL lake.system.rewrite_position_delete_files(${target})`, options)
  }
}

/** Sets a property of the table of products. */
export const setTableProperty = async (
  thrift: ThriftAddress,
  name: string,
  value: string,
  options: QueryOptions = {},
): Promise<void> =>
  void (await query(
    thrift,
    `ALTER TABLE lake.off.products SET TBLPROPERTIES (${literal(name)} = ${literal(value)})`,
    options,
  ))

const literal = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
