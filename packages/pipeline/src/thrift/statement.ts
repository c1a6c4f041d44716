import { OffstreamError, pause } from '@offstream/runtime'
import { type Column, jsonStatements } from './columns.ts'
import type { Fetched, Value } from './rowSet.ts'
import { sqlFailed } from './sqlError.ts'

/** Some rows of a result. */
export interface Batch {
  readonly columns: readonly Column[]
  readonly rowCount: number
  /** The values of each column. */
  readonly values: readonly (readonly Value[])[]
  /** Their size as the server sent them. */
  readonly byteLength: number
}

/** A statement that the server runs. */
export interface Operation {
  readonly state: () => Promise<OperationState>
  /** The columns of its result; none if it has no result. */
  readonly columns: () => Promise<readonly Column[]>
  readonly fetch: (maxRows: number) => Promise<Fetched>
  readonly close: () => Promise<unknown>
  /** Stops the statement on the server. */
  readonly cancel: () => Promise<unknown>
}

export interface OperationState {
  readonly kind: 'running' | 'finished' | 'failed'
  readonly message: string | null
}

export type StartOperation = (sql: string) => Promise<Operation>

const minPollIntervalMs = 20
const maxPollIntervalMs = 500

/**
 * Runs a statement and reads its result. Each batch is requested while the caller uses the one before. If the caller stops,
 * or a request fails, the statement is canceled.
 */
export async function* runStatement(
  start: StartOperation,
  sql: string,
  aborted: AbortSignal,
): AsyncGenerator<Batch, void, undefined> {
  const { operation, columns } = await startReadable(start, sql, aborted)
  let complete = false
  try {
    let fetching = columns.length === 0 ? Promise.resolve(noRows) : operation.fetch(smallFetchSize)
    for (let first = true; ; first = false) {
      const { columns: values, byteLength } = await fetching
      const rowCount = values[0]?.length ?? 0
      if (rowCount > 0) {
        fetching = operation.fetch(nextFetchSize(rowCount, byteLength))
        fetching.catch(() => undefined)
      }
      if (rowCount > 0 || first) yield { columns, values, rowCount, byteLength }
      if (rowCount === 0) break
    }
    complete = true
  } finally {
    await (complete ? operation.close() : operation.cancel())
  }
}

const noRows: Fetched = { statusCode: 0, errorMessage: null, columns: [], byteLength: 0 }

interface Readable {
  readonly operation: Operation
  readonly columns: readonly Column[]
}

/** Starts a statement whose result has its arrays, maps and structs as JSON. */
const startReadable = async (start: StartOperation, sql: string, aborted: AbortSignal): Promise<Readable> => {
  const readable = await finished(start, sql, aborted)
  const { operation, columns } = readable
  const statements = jsonStatements(sql, columns)
  if (statements === null) return readable
  const [view, select] = statements
  try {
    const created = await finished(start, view, aborted)
    await created.operation.close()
    const json = await finished(start, select, aborted)
    await operation.close()
    return { operation: json.operation, columns }
  } catch (error) {
    // Spark does not accept every query in a view, and has types that it cannot write as JSON.
    if (error instanceof OffstreamError && error.code === 'SQL_FAILED') return readable
    await operation.cancel()
    throw error
  }
}

/** Starts a statement and waits until its result can be read. */
const finished = async (start: StartOperation, sql: string, aborted: AbortSignal): Promise<Readable> => {
  const operation = await start(sql)
  try {
    for (let intervalMs = minPollIntervalMs; ; intervalMs = Math.min(intervalMs * 1.5, maxPollIntervalMs)) {
      const { kind, message } = await operation.state()
      if (kind === 'finished') return { operation, columns: await operation.columns() }
      if (kind === 'failed') throw sqlFailed(message ?? 'the server canceled the statement')
      await pause(intervalMs, aborted)
    }
  } catch (error) {
    await operation.cancel()
    throw error
  }
}

/** Rows of the first request of a result. The size of its rows is not known yet: some bytes or a megabyte. */
const smallFetchSize = 200

/** Larger responses were not faster, and two of them are in memory at a time. */
const targetBytes = 2 * 1024 * 1024
const maxGrowth = 8
const maxFetchSize = 20_000

/** How many rows to request after a response of `rowCount` rows in `byteLength` bytes. */
export const nextFetchSize = (rowCount: number, byteLength: number): number => {
  const fitting = Math.floor((rowCount * targetBytes) / byteLength)
  return Math.max(1, Math.min(fitting, rowCount * maxGrowth, maxFetchSize))
}
