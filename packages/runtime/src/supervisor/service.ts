/** A program that runs until it is stopped, as data: what to run, and how to find out whether it is ready. */
export interface Service {
  readonly name: string
  readonly command: ServiceCommand
  /** Services of the same set that must be ready before this one starts; they are stopped after it. */
  readonly needs: readonly string[]
  /** Services whose settings it uses: if the user restarts one of them, this one is restarted too. A crash does not count. */
  readonly restartsWith?: readonly string[]
  /** Those of `needs` that count only at the first start: a restart after a crash does not wait for them. */
  readonly needsOnlyAtStart?: readonly string[]
  /** The port that clients connect to, for the user to see; null if it has none. */
  readonly port: number | null
  /** Every port that it listens on, so that a taken port is reported before anything starts. */
  readonly listensOn?: readonly ServicePort[]
  /** Its standard output and standard error are appended to this file. */
  readonly logFile: string
  /** Runs before each start; makes property files, folders, tokens. It must stop when `signal` is aborted. */
  readonly prepare?: (signal: AbortSignal) => Promise<void>
  /**
   * The readiness probe: one real request in the protocol of the service. Resolves if the answer was right, throws
   * otherwise. It is repeated until it resolves, so it must be cheap and must stop when `signal` is aborted.
   */
  readonly ready: (signal: AbortSignal) => Promise<void>
  readonly startTimeoutMs: number
  /**
   * A way to request a stop that is gentler than SIGTERM, for a program that SIGTERM would interrupt in the middle of
   * its work. SIGTERM follows if this throws or the service does not exit within `stopTimeoutMs`, and then SIGKILL.
   */
  readonly requestStop?: () => Promise<void>
  /** Whether a kill would leave work of it on other machines. Then `requestStop` also ends a start that is aborted or too slow. */
  readonly worksElsewhere?: boolean
  readonly stopTimeoutMs: number
  /**
   * Why each restart would fail, as the program itself reported when it exited; null if a restart can help. Such a
   * service is not restarted: it waits for the user.
   */
  readonly permanentFailure?: () => Promise<Diagnosis | null>
  /**
   * For a program that ends by itself: whether it has done all its work, as it reported itself. If so when it exits,
   * the service is `completed` and is not started again.
   */
  readonly isComplete?: () => Promise<boolean>
  /** Finds a known cause in its last log lines, oldest first; null if the cause is unknown. */
  readonly diagnose?: (lastLogLines: readonly string[]) => Diagnosis | null
}

/** A port, and how the user chooses another one, such as "`--set bees.port=…`". */
export interface ServicePort {
  /** The address that the service binds; without it, every address of this machine. */
  readonly host?: string
  readonly port: number
  readonly choose: string
}

/** Why a service failed, as a sentence, and how to fix it. */
export interface Diagnosis {
  readonly cause: string
  readonly hint: string
}

/** What to run. */
export interface ServiceCommand {
  readonly file: string
  readonly args: readonly string[]
  /** Its whole environment except for our mark: our own environment may hold secrets. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/**
 * `restarting`: it crashed and waits for its next start. `failed`: it is not started again. `completed`: its work is done.
 */
export type ServicePhase = 'starting' | 'running' | 'stopping' | 'restarting' | 'failed' | 'completed'

/** The last known state of a service. It outlives the process that started the service. */
export interface ServiceRecord {
  readonly name: string
  readonly phase: ServicePhase
  readonly pid: number | null
  /** See ProcessIdentity; null with `pid`. */
  readonly startId: string | null
  readonly port: number | null
  readonly logFile: string
  /** ISO 8601; when the current process was started. */
  readonly startedAt: string | null
  /** How many times it was restarted after a crash since its start was requested. */
  readonly restarts: number
  /** Why it is not running, if no user stopped it. */
  readonly detail: string | null
}

/** What happens to services, as it happens. Durations are milliseconds. */
export type ServiceEvent =
  | { readonly kind: 'starting'; readonly service: string }
  /** It is running already and is probed; `ready` follows, or the error of the start. */
  | { readonly kind: 'probing'; readonly service: string }
  | {
      readonly kind: 'ready'
      readonly service: string
      readonly pid: number
      readonly port: number | null
      readonly tookMs: number
      /** Whether it was running before the request. */
      readonly alreadyRunning: boolean
    }
  | { readonly kind: 'stopping'; readonly service: string }
  | { readonly kind: 'stopped'; readonly service: string; readonly tookMs: number; readonly killed: boolean }
  /** `how` follows the name: `was killed by SIGKILL`. */
  | { readonly kind: 'crashed'; readonly service: string; readonly how: string; readonly restartInMs: number }
  /** It has done all its work. */
  | { readonly kind: 'completed'; readonly service: string }
  /** It crashed too often and will not be restarted. */
  | { readonly kind: 'failed'; readonly service: string; readonly how: string }
  /** Its record cannot be written, for example on a full disk; reported once until it can. It keeps running. */
  | { readonly kind: 'recordFailed'; readonly service: string; readonly reason: string }
