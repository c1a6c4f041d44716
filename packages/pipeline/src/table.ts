import { abortable, DeadlineError, withDeadline } from '@offstream/runtime'
import type { HiveClient, HiveDriver } from 'hive-driver'
import { readCertificates, tlsOptions } from './credentials.ts'
import { PipelineError } from './errors.ts'
import { loginRejected, type ThriftAddress, unreachable } from './thrift/address.ts'
import { type Column, columnsOf, isNested } from './thrift/columns.ts'
import { loadFrameTransport } from './thrift/frames.ts'
import { type Fetched, fetchedOf, type Value } from './thrift/rowSet.ts'
import { sqlFailed } from './thrift/sqlError.ts'
import { type Batch, type Operation, runStatement, type StartOperation } from './thrift/statement.ts'

export { refillHint } from './thrift/sqlError.ts'
export { type Batch, type Column, isNested, type ThriftAddress, type Value }

/** The result of a query. Each row has a value for each column. */
export interface QueryResult {
  readonly columns: readonly Pick<Column, 'name' | 'type'>[]
  readonly rows: readonly (readonly Value[])[]
}

/** When a query is canceled, here and on the server. */
export interface QueryOptions {
  readonly signal?: AbortSignal | undefined
  /** For the whole query; default: none. */
  readonly timeoutMs?: number
  /** For each response of the server, except for rows, which it may still have to compute; default: four minutes. */
  readonly responseTimeoutMs?: number
}

const connectTimeoutMs = 10_000
/** A server such as Kyuubi may first have to start a program, for which our own Thrift server has the same time. */
const defaultResponseTimeoutMs = 240_000
const closeTimeoutMs = 2_000

/**
 * Runs one SQL statement on a Spark (or Hive) Thrift server and reads the whole result.
 * @throws OffstreamError THRIFT_UNREACHABLE, AUTHENTICATION_FAILED, CERTIFICATE_REJECTED, FILE_MISSING, SQL_FAILED,
 *   QUERY_TIMEOUT
 */
export const query = async (
  address: ThriftAddress,
  sql: string,
  options: QueryOptions = {},
): Promise<QueryResult> => {
  const rows: Value[][] = []
  let columns: QueryResult['columns'] = []
  for await (const batch of queryInBatches(address, sql, options)) {
    columns = batch.columns.map(({ name, type }) => ({ name, type }))
    for (let row = 0; row < batch.rowCount; row++) rows.push(batch.values.map(column => column[row] ?? null))
  }
  return { columns, rows }
}

/**
 * Runs one SQL statement and reads the result in batches, of which at most two are in memory. A result without rows is one
 * batch without rows. If the caller does not read all batches, the statement is canceled.
 * @throws OffstreamError as `query` does
 */
export async function* queryInBatches(
  address: ThriftAddress,
  sql: string,
  { signal, timeoutMs, responseTimeoutMs }: QueryOptions = {},
): AsyncGenerator<Batch, void, undefined> {
  const deadline = timeoutMs === undefined ? null : AbortSignal.timeout(timeoutMs)
  const aborted = AbortSignal.any([signal, deadline].filter(one => one != null))
  try {
    using connection = await connectTo(address, aborted, responseTimeoutMs)
    const session = await openSession(address, connection, aborted)
    yield* runStatement(session.start(aborted), sql, aborted)
    await session.close()
  } catch (error) {
    signal?.throwIfAborted()
    if (!deadline?.aborted) throw error
    throw new PipelineError('QUERY_TIMEOUT', `The query timed out after ${Number(timeoutMs) / 1_000} s`, {
      hint: 'query less data, or raise the limit with `--timeout`',
      cause: error,
    })
  }
}

/** A session of a Thrift server: what a statement sets, or creates for the session, applies to the later ones. */
export interface SqlSession extends AsyncDisposable {
  /** Runs a statement as `queryInBatches` does; one at a time. */
  readonly run: (sql: string, signal: AbortSignal) => AsyncGenerator<Batch, void, undefined>
}

/**
 * Opens a session for several statements. The server closes it if the connection breaks; then each statement rejects.
 * @throws OffstreamError THRIFT_UNREACHABLE
 */
export const openSqlSession = async (address: ThriftAddress, signal: AbortSignal): Promise<SqlSession> => {
  const connection = await connectTo(address, signal)
  try {
    const session = await openSession(address, connection, signal)
    return {
      async *run(sql, aborted) {
        try {
          yield* runStatement(session.start(aborted), sql, aborted)
        } catch (error) {
          aborted.throwIfAborted()
          throw error
        }
      },
      async [Symbol.asyncDispose]() {
        await session.close()
        connection[Symbol.dispose]()
      },
    }
  } catch (error) {
    connection[Symbol.dispose]()
    throw error
  }
}

/** Queries the view `Products`. @returns how many products it shows */
export const countProducts = async (address: ThriftAddress, signal?: AbortSignal): Promise<number> => {
  const { rows } = await query(address, 'SELECT count(*) FROM Products', { signal })
  return Number(rows[0]?.[0])
}

/** Loads hive-driver now: a process that runs for weeks must not load it after offstream was updated. */
export const loadThriftClient = async (): Promise<void> => {
  await Promise.all([import('hive-driver'), loadFrameTransport()])
}

type Driver = InstanceType<typeof HiveDriver>
type OperationHandle = Awaited<ReturnType<Driver['executeStatement']>>['operationHandle']
// biome-ignore lint/suspicious/noExplicitAny: hive-driver declares its generated Thrift types as `any`
type ThriftTypes = any

/** A connection to a Thrift server. A request rejects if the server reports an error or the connection breaks. */
interface Connection extends Disposable {
  readonly types: ThriftTypes
  readonly request: <T>(send: (driver: Driver) => Promise<T>) => Promise<T>
  readonly fetch: (operationHandle: OperationHandle, maxRows: number) => Promise<Fetched>
}

/**
 * Every step has a deadline, and this code destroys the socket: hive-driver waits without end if the server uses another
 * authentication or closes the connection early.
 */
const connectTo = async (
  address: ThriftAddress,
  signal?: AbortSignal,
  responseTimeoutMs = defaultResponseTimeoutMs,
): Promise<Connection> => {
  const [{ default: hive }, transport] = await Promise.all([import('hive-driver'), loadFrameTransport()])
  const { TCLIService, TCLIService_types: types } = hive.thrift
  class Authentication extends hive.auth.PlainTcpAuthentication {
    destroy: () => void = () => undefined
    /** Whether the server has rejected the user, by its answer in the protocol of SASL. */
    isRejected = false
    override authenticate(
      transport: Parameters<InstanceType<typeof hive.auth.PlainTcpAuthentication>['authenticate']>[0],
    ) {
      const authenticated = super.authenticate(transport)
      const socket = transport.getTransport()
      this.destroy = () => socket.destroy()
      socket.once('data', (answer: Buffer) => {
        this.isRejected = rejections.includes(answer[0] ?? 0)
      })
      return authenticated
    }
  }
  const authentication = new Authentication(address.login ?? noLogin)
  const client = new hive.HiveClient(withOwnReader(TCLIService), types)
  const lost = lostConnection(client, address)
  const { host, port } = address
  const connect = () =>
    client.connect(
      { host, port, options: { transport, ...secureOptions(address) } },
      new hive.connections.TcpConnection(),
      authentication,
    )
  try {
    await withDeadline(connect, { what: 'a connection', timeoutMs: connectTimeoutMs, signal })
  } catch (error) {
    authentication.destroy()
    signal?.throwIfAborted()
    throw authentication.isRejected ? loginRejected(address, error) : unreachable(address, error)
  }
  const driver = new hive.HiveDriver(types, client.getClient())
  const answered = async <T>(response: Promise<T>): Promise<T> =>
    successful(await abortable(response, lost), types)
  const limited = <T>(response: Promise<T>): Promise<T> =>
    withDeadline(() => response, { what: 'a response', timeoutMs: responseTimeoutMs }).catch(error => {
      throw error instanceof DeadlineError ? unreachable(address, error) : error
    })
  return {
    types,
    request: send => answered(limited(send(driver))),
    fetch: (operationHandle, maxRows) =>
      answered(
        new Promise((resolve, reject) => {
          const orientation = types.TFetchOrientation.FETCH_NEXT
          const request = new types.TFetchResultsReq({ operationHandle, orientation, maxRows })
          const onFetched = (error: unknown, fetched: Fetched) => (error ? reject(error) : resolve(fetched))
          client.getClient().FetchResults(request, onFetched)
        }),
      ),
    [Symbol.dispose]: () => authentication.destroy(),
  }
}

/** Hive's "NONE" is SASL PLAIN with any name and any password that is not empty. */
const noLogin = { username: 'offstream', password: 'none' }

/** The states BAD and ERROR of SASL in Thrift. */
const rejections = [3, 4]

/** hive-driver verifies no certificate by default, and permits old versions of TLS. */
const secureOptions = ({ host, tls }: ThriftAddress): object =>
  tls == null
    ? {}
    : {
        ...{ ssl: true, rejectUnauthorized: true, secureProtocol: undefined, minVersion: 'TLSv1.2' },
        ...tlsOptions(host, readCertificates(tls)),
      }

/** The generated service, which reads the rows of a result with `fetchedOf`. */
const withOwnReader = (service: ThriftTypes): ThriftTypes => {
  class Client extends service.Client {
    recv_FetchResults(input: ThriftTypes, messageType: number, id: number): void {
      if (messageType !== replyType) return void super['recv_FetchResults'](input, messageType, id)
      const transport = input.getTransport()
      const { buf, readIndex } = transport.borrow()
      const callback = this['_reqs'][id]
      delete this['_reqs'][id]
      const fetched = fetchedOf(buf, readIndex)
      transport.consume(buf.length - readIndex)
      callback(null, fetched)
    }
  }
  return { ...service, Client }
}

/** Thrift's number of a response that is not an exception. */
const replyType = 2

/** Is aborted when the connection breaks. Every request needs it: hive-driver leaves them pending. */
const lostConnection = (client: HiveClient, address: ThriftAddress): AbortSignal => {
  const lost = new AbortController()
  const onLost = (error: unknown) => lost.abort(unreachable(address, error))
  client.on('error', onLost)
  client.on('close', () => onLost(new Error('the connection was closed')))
  return lost.signal
}

/** @throws OffstreamError SQL_FAILED, TABLE_MISSING if the status of a response is an error */
const successful = <T>(response: T, { TStatusCode }: ThriftTypes): T => {
  const { status = response } = response as { readonly status?: unknown }
  const { statusCode, errorMessage } = status as {
    readonly statusCode?: number
    readonly errorMessage?: string | null
  }
  if (statusCode === TStatusCode.ERROR_STATUS || statusCode === TStatusCode.INVALID_HANDLE_STATUS)
    throw sqlFailed(errorMessage ?? 'the server reported an error without a message')
  return response
}

/** Opens a session. Requests of a statement reject when its own signal is aborted. The server closes it with the connection. */
const openSession = async (address: ThriftAddress, connection: Connection, aborted: AbortSignal) => {
  const { types, request } = connection
  const open = request(driver =>
    driver.openSession({ client_protocol: types.TProtocolVersion.HIVE_CLI_SERVICE_PROTOCOL_V10 }),
  )
  const { sessionHandle } = await withDeadline(() => open, {
    what: 'a session',
    timeoutMs: connectTimeoutMs,
    signal: aborted,
  }).catch(error => {
    aborted.throwIfAborted()
    throw unreachable(address, error)
  })
  return {
    start: (aborted: AbortSignal): StartOperation => {
      const unlessAborted: Abortable = promise => abortable(promise, aborted)
      return async statement => {
        const starting = request(driver =>
          driver.executeStatement({ sessionHandle, statement, runAsync: true }),
        )
        const operation = starting.then(({ operationHandle }) =>
          operationOf(address, connection, operationHandle, unlessAborted),
        )
        // The session may have later statements: one that the server starts after the abort must not continue.
        return unlessAborted(operation).catch(error => {
          if (aborted.aborted) operation.then(({ cancel }) => cancel()).catch(() => undefined)
          throw error
        })
      }
    },
    close: () => inTime(() => request(driver => driver.closeSession({ sessionHandle }))),
  }
}

/** Rejects as soon as the query is aborted, even while the promise is pending. */
type Abortable = <T>(promise: Promise<T>) => Promise<T>

/** Cleaning up on the server is optional, so it must not take long. */
const inTime = (attempt: () => Promise<unknown>): Promise<unknown> =>
  withDeadline(attempt, { what: 'the server', timeoutMs: closeTimeoutMs }).catch(() => undefined)

const operationOf = (
  address: ThriftAddress,
  { types, request, fetch }: Connection,
  operationHandle: OperationHandle,
  unlessAborted: Abortable,
): Operation => {
  const { FINISHED_STATE, ERROR_STATE, CANCELED_STATE, CLOSED_STATE, TIMEDOUT_STATE } = types.TOperationState
  const failed = [ERROR_STATE, CANCELED_STATE, CLOSED_STATE, TIMEDOUT_STATE]
  return {
    state: async () => {
      const { operationState, errorMessage } = await unlessAborted(
        request(driver => driver.getOperationStatus({ operationHandle })),
      )
      const state = operationState === FINISHED_STATE ? 'finished' : 'running'
      return { kind: failed.includes(operationState) ? 'failed' : state, message: errorMessage ?? null }
    },
    columns: async () => {
      if (!operationHandle.hasResultSet) return []
      const { schema } = await unlessAborted(
        request(driver => driver.getResultSetMetadata({ operationHandle })),
      )
      return columnsOf(schema, types.TTypeId)
    },
    fetch: maxRows => unlessAborted(fetch(operationHandle, maxRows)),
    close: () => inTime(() => request(driver => driver.closeOperation({ operationHandle }))),
    // On another connection: the server processes the requests of one connection in order, and may be busy with rows. Canceling
    // stops only a statement without a result yet; closing also stops one whose rows are being computed.
    cancel: () =>
      inTime(async () => {
        using other = await connectTo(address)
        await other.request(driver => driver.cancelOperation({ operationHandle }))
        await other.request(driver => driver.closeOperation({ operationHandle }))
      }),
  }
}
