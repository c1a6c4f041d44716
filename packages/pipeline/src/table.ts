import { messageOf, OffstreamError, withDeadline } from '@offstream/runtime'
import type { HiveClient } from 'hive-driver'
import { PipelineError } from './errors.ts'

/** The address of a Thrift server. */
export interface ThriftAddress {
  readonly host: string
  readonly port: number
}

/** A column of a result: its name in the query, and its SQL type in lower case, such as `bigint`. */
export interface Column {
  readonly name: string
  readonly type: string
}

/**
 * A value of a result. Decimals, dates, timestamps and integers that a JavaScript number cannot represent are text, as
 * the server wrote them.
 */
export type Value = string | number | boolean | null

/** The result of a query. Each row has a value for each column. */
export interface QueryResult {
  readonly columns: readonly Column[]
  readonly rows: readonly (readonly Value[])[]
}

/** When a query is aborted. */
export interface QueryOptions {
  readonly signal?: AbortSignal | undefined
  /** For the whole query; default: none. */
  readonly timeoutMs?: number
}

const connectTimeoutMs = 10_000
const minPollIntervalMs = 20
const maxPollIntervalMs = 500
/** hive-driver's buffers grow faster than the result: 10,000 wide rows a fetch took four times as long as this. */
const fetchSize = 1_000

/**
 * Runs one SQL statement on a Spark (or Hive) Thrift server and reads the whole result.
 * @throws OffstreamError THRIFT_UNREACHABLE, SQL_FAILED, QUERY_TIMEOUT
 */
export const query = async (
  address: ThriftAddress,
  sql: string,
  options: QueryOptions = {},
): Promise<QueryResult> => {
  await using connection = await connectTo(address, options.signal)
  const run = connection.query(sql)
  if (options.timeoutMs === undefined && options.signal === undefined) return await run
  const { timeoutMs = 2 ** 31 - 1 } = options
  return await withDeadline(() => run, {
    what: 'the result of the query',
    timeoutMs,
    signal: options.signal,
  }).catch(error => {
    if (error instanceof OffstreamError || options.signal?.aborted) throw error
    throw new PipelineError('QUERY_TIMEOUT', `The query timed out after ${timeoutMs / 1_000} s`, {
      hint: 'query less data, or raise the limit with `--timeout`',
      cause: error,
    })
  })
}

/** Queries the view `Products`. @returns how many products it shows */
export const countProducts = async (host: string, port: number, signal?: AbortSignal): Promise<number> => {
  const { rows } = await query({ host, port }, 'SELECT count(*) FROM Products', { signal })
  return Number(rows[0]?.[0])
}

/** Loads hive-driver now: a process that runs for weeks must not load it after offstream was updated. */
export const loadThriftClient = async (): Promise<void> => {
  await import('hive-driver')
}

interface Connection extends AsyncDisposable {
  readonly query: (sql: string) => Promise<QueryResult>
}

/**
 * Every step has a deadline, and this code destroys the socket: hive-driver waits without end if the server uses another
 * authentication or closes the connection early.
 */
const connectTo = async (
  { host, port }: ThriftAddress,
  signal: AbortSignal | undefined,
): Promise<Connection> => {
  const { default: hive } = await import('hive-driver')
  const { TCLIService, TCLIService_types: types } = hive.thrift
  class Authentication extends hive.auth.PlainTcpAuthentication {
    destroy: () => void = () => undefined
    override authenticate(
      transport: Parameters<InstanceType<typeof hive.auth.PlainTcpAuthentication>['authenticate']>[0],
    ) {
      this.destroy = () => transport.getTransport().destroy()
      return super.authenticate(transport)
    }
  }
  // Hive's "NONE" is SASL PLAIN with any name and any password that is not empty.
  const authentication = new Authentication({ username: 'offstream', password: 'none' })
  const client = new hive.HiveClient(TCLIService, types)
  const lost = lostConnection(client)
  try {
    const session = await withDeadline(
      async () => {
        await client.connect({ host, port }, new hive.connections.TcpConnection(), authentication)
        return await Promise.race([
          lost,
          client.openSession({ client_protocol: types.TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V10 }),
        ])
      },
      { what: `the Thrift server at ${host}:${port}`, timeoutMs: connectTimeoutMs, signal },
    )
    return {
      query: sql => Promise.race([lost, runStatement(session, sql, types)]),
      async [Symbol.asyncDispose]() {
        await withDeadline(() => session.close(), { what: 'the session to close', timeoutMs: 1_000 }).catch(
          () => undefined,
        )
        authentication.destroy()
      },
    }
  } catch (error) {
    authentication.destroy()
    signal?.throwIfAborted()
    throw new PipelineError(
      'THRIFT_UNREACHABLE',
      `Could not connect to a Thrift server at \`${host}:${port}\`: ${messageOf(error)}`,
      {
        hint: 'start the services with `offstream up`; `offstream status` shows them',
        cause: error,
      },
    )
  }
}

/** Rejects when the connection breaks. Race it with every request: hive-driver leaves them pending. */
const lostConnection = (client: HiveClient): Promise<never> => {
  const lost = new Promise<never>((_, reject) => {
    client.on('error', reject)
    client.on('close', () => reject(new Error('the connection was closed')))
  })
  lost.catch(() => undefined)
  return lost
}

type Session = Awaited<ReturnType<HiveClient['openSession']>>
type Operation = Awaited<ReturnType<Session['executeStatement']>>
// biome-ignore lint/suspicious/noExplicitAny: hive-driver declares its generated Thrift types as `any`
type ThriftTypes = any

const runStatement = async (session: Session, sql: string, types: ThriftTypes): Promise<QueryResult> => {
  try {
    const operation = await session.executeStatement(sql, { runAsync: true })
    await finished(operation, types)
    const rows: Value[][] = []
    operation.setMaxRows(fetchSize)
    let columns: readonly Column[] = []
    do {
      await operation.fetch()
      columns = columnsOf(operation, types)
      for (const part of operation.getData()) rows.push(...rowsOf(part.columns ?? [], columns.length))
      operation.flush()
    } while (operation.hasMoreRows())
    await operation.close()
    return { columns, rows }
  } catch (error) {
    throw sqlFailed(error)
  }
}

const finished = async (operation: Operation, types: ThriftTypes): Promise<void> => {
  const { FINISHED_STATE, ERROR_STATE, CANCELED_STATE, CLOSED_STATE, TIMEDOUT_STATE } = types.TOperationState
  const unsuccessful = [ERROR_STATE, CANCELED_STATE, CLOSED_STATE, TIMEDOUT_STATE]
  for (let intervalMs = minPollIntervalMs; ; intervalMs = Math.min(intervalMs * 1.5, maxPollIntervalMs)) {
    const status = await operation.status(false)
    if (status.operationState === FINISHED_STATE) return
    if (unsuccessful.includes(status.operationState))
      throw new Error(status.errorMessage ?? 'the server canceled the query')
    await new Promise(resolve => setTimeout(resolve, intervalMs))
  }
}

const columnsOf = (operation: Operation, types: ThriftTypes): Column[] => {
  const names = new Map<number, string>(
    Object.entries<number>(types.TTypeId).map(([name, id]) => [id, name.replace(/_TYPE$/, '').toLowerCase()]),
  )
  return (operation.getSchema()?.columns ?? [])
    .toSorted((one, other) => one.position - other.position)
    .map(({ columnName, typeDesc }) => ({
      name: columnName,
      type: names.get(typeDesc.types[0]?.primitiveEntry?.type ?? -1) ?? 'unknown',
    }))
}

type ThriftColumn = NonNullable<ReturnType<Operation['getData']>[number]['columns']>[number]

/**
 * Rows from columns. hive-driver's own conversion turns a BIGINT above 2^53 into Infinity, a DECIMAL into an inexact
 * number, and two columns of the same name into one.
 */
const rowsOf = (columns: readonly ThriftColumn[], width: number): Value[][] => {
  const values = columns.slice(0, width).map(valuesOf)
  return Array.from(values[0] ?? [], (_, row) => values.map(column => column[row] ?? null))
}

const valuesOf = (column: ThriftColumn): Value[] => {
  const [filled] = Object.values(column).filter(value => value !== null && value !== undefined)
  if (filled === undefined) return []
  return Array.from<unknown, Value>(filled.values, (value, row) =>
    isNull(filled.nulls, row) ? null : plain(value),
  )
}

/** @see TCLIService.thrift: `nulls` is a bit set, lowest bit first. Missing bytes mean "not null". */
const isNull = (nulls: unknown, row: number): boolean => {
  const bytes = Buffer.isBuffer(nulls) ? nulls : Buffer.alloc(0)
  return (((bytes[row >> 3] ?? 0) >> (row & 7)) & 1) === 1
}

const plain = (value: unknown): Value => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  if (Buffer.isBuffer(value)) return value.toString('base64')
  if (isInt64(value)) {
    const whole = value.buffer.readBigInt64BE(value.offset)
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole.toString()
  }
  return String(value)
}

/** A 64-bit integer of Thrift is an object that refers to the received bytes. */
const isInt64 = (value: unknown): value is { readonly buffer: Buffer; readonly offset: number } =>
  typeof value === 'object' &&
  value !== null &&
  'buffer' in value &&
  'offset' in value &&
  Buffer.isBuffer(value.buffer)

/** The fix for a missing table. The checkpoint must be deleted too: it says that the messages are already read. */
export const refillHint =
  'refill it from the topic with `offstream down`, `offstream reset --table`, `offstream up` and `offstream submit`'

const sqlFailed = (error: unknown): OffstreamError => {
  const message = serverMessage(error) ?? messageOf(error)
  const [, dropped] = /TABLE_OR_VIEW_NOT_FOUND\].*?`lake`\.`off`\.`(products|rejected)`/s.exec(message) ?? []
  if (dropped !== undefined)
    return new PipelineError(
      'TABLE_MISSING',
      `The table \`lake.off.${dropped}\`, which the views read, was dropped`,
      { hint: refillHint, cause: error },
    )
  // The server wraps its error in class names and adds its stack. The user needs only the sentence.
  const [sentence = message] = message
    .replace(/^.*?Error (operating|running query)[^:]*: /s, '')
    .replace(/^(\[[\w.]+\]) [\w.$]+:\s+\1/, '$1')
    // After the sentence comes the plan or the stack. The statement with a mark under the error stays.
    .split(/\n\tat |;?(?: line \d+ pos \d+;)?\n'?\p{Lu}\w+ \[|\n\n?JVM stacktrace/u)
  return new PipelineError('SQL_FAILED', sentence.trim(), {
    hint: 'check the statement; the views are listed by `offstream query "SHOW VIEWS"`',
    cause: error,
  })
}

const serverMessage = (error: unknown): string | undefined => {
  const response = error instanceof Error && 'response' in error ? error.response : undefined
  if (typeof response !== 'object' || response === null) return undefined
  return 'errorMessage' in response && typeof response.errorMessage === 'string'
    ? response.errorMessage
    : undefined
}
