/** The data that the server and the page exchange. Only types, because the page must not contain other code of the server. */

import type {
  Hop,
  LogEntry,
  PeekedMessage,
  Status,
  StreamBatch,
  TableOverview,
  Value,
} from '@offstream/pipeline'

export type {
  Hop,
  HopName,
  JobStatus,
  LogEntry,
  PeekedMessage,
  ServiceStatus,
  StreamBatch,
} from '@offstream/pipeline'

/** The resources that a process group uses, and its own web page. */
export interface ServiceDetails {
  readonly memoryBytes: number | null
  /** Of one core: 150 is one and a half cores. */
  readonly cpuPercent: number | null
  /** Every port that it listens on. */
  readonly ports: readonly number[]
  /** Its own web page. */
  readonly page: string | null
}

/** A point of the time series. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number
  /** Messages that the topic got per second. */
  readonly arrived: number | null
  /** Messages that the job consumed per second. */
  readonly consumed: number | null
  readonly lag: number | null
  readonly freshness: number | null
}

/** The state of the job. */
export interface StreamState {
  readonly state: string
  readonly batchId: number | null
  readonly triggerMs: number | null
  readonly rowsPerSecond: number | null
  readonly error: string | null
  readonly upkeepError: string | null
  /** Partition → the offset of the next message. */
  readonly offsets: Readonly<Record<string, number>>
  readonly updatedAt: string
}

/** The whole state of the stack at one time. The server sends one a second. */
export interface Live {
  readonly at: number
  readonly status: Status
  readonly hops: readonly Hop[]
  readonly details: Readonly<Record<string, ServiceDetails>>
  readonly stream: StreamState | null
  /** Changes with each commit to the tables. */
  readonly tableVersion: number
  readonly point: Point
}

/** The project, and the permissions of this browser. */
export interface Session {
  readonly project: string
  /** Whether this browser has the token. */
  readonly mayAct: boolean
  readonly readOnly: boolean
}

/** What the page needs before the first `Live`. */
export interface History {
  readonly points: readonly Point[]
  readonly batches: readonly StreamBatch[]
}

export interface Batches {
  readonly batches: readonly StreamBatch[]
}

export interface Messages {
  readonly messages: readonly PeekedMessage[]
}

/** A row of a query, by the names of its columns. */
export type Row = Readonly<Record<string, Value>>

export interface Rows {
  readonly rows: readonly Row[]
}

export interface ProductPage extends Rows {
  /** How many products match. */
  readonly total: number
}

/** The files of the table of products, and its snapshots, the newest first. */
export interface TableState {
  readonly files: TableOverview | null
  readonly snapshots: readonly Row[]
}

export interface ChartList {
  readonly charts: readonly { readonly name: string; readonly title: string }[]
  readonly version: number
}

/** The action of a button. */
export type Action = 'restart' | 'stop'

export interface Failure {
  readonly error: { readonly code: string | null; readonly message: string; readonly hint: string }
}

export type { Status }
/** Entries of a log, as the server streams them. */
export type LogLines = readonly LogEntry[]
