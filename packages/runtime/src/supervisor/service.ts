/** A program that runs on until it is told to end, told as data: what to run, and how to know that it is ready. */
export interface Service {
  readonly name: string
  readonly command: ServiceCommand
  /** Services of the same set that must be ready before this one is started; they are ended after it. */
  readonly needs: readonly string[]
  /** Of those, the ones that it can't outlive: when one of them falls, this one is started again after it. */
  readonly restartsWith?: readonly string[]
  /** Those of `needs` that it waits for by itself: after a fall it is started again without waiting for them. */
  readonly awaits?: readonly string[]
  /** The port it is asked on, for the person to see; null where it has none. */
  readonly port: number | null
  /** Every port that it listens on, so that a taken one is told before anything is started. */
  readonly listensOn?: readonly ServicePort[]
  /** Where it writes; one file for standard output and standard error, appended to. */
  readonly logFile: string
  /** Made just before each start: property files, folders, tokens. It must end when `signal` is aborted. */
  readonly prepare?: (signal: AbortSignal) => Promise<void>
  /**
   * One real question in the service's own language; resolves when the answer was right, throws otherwise. Asked
   * again until it resolves, so it must be cheap and must end when `signal` is aborted.
   */
  readonly ready: (signal: AbortSignal) => Promise<void>
  readonly startTimeoutMs: number
  /**
   * A gentler way to ask it to end than the TERM signal, for a program that TERM would interrupt in the middle of
   * its work. TERM follows where it could not be asked or did not end within `stopTimeoutMs`, and KILL after that.
   */
  readonly requestStop?: () => Promise<void>
  readonly stopTimeoutMs: number
  /** What is known to be behind its last words, oldest line first; null where they tell nothing known. */
  readonly diagnose?: (lastLogLines: readonly string[]) => Diagnosis | null
}

/** A port and what the person gives another with, such as "`--set bees.port=…`". */
export interface ServicePort {
  readonly port: number
  readonly choose: string
}

/** Why a service fell, in a sentence, and what mends it. */
export interface Diagnosis {
  readonly cause: string
  readonly hint: string
}

export interface ServiceCommand {
  readonly file: string
  readonly args: readonly string[]
  /** All of its environment but our mark: what we were called with holds secrets that are no business of its. */
  readonly env: Readonly<Record<string, string>>
  readonly cwd: string
}

/** Where a service is in its life. `restarting`: it fell and waits for its next start. `failed`: given up. */
export type ServicePhase = 'starting' | 'running' | 'stopping' | 'restarting' | 'failed'

/** What is known of a service beyond the life of the process that started it; kept in a file of its own. */
export interface ServiceRecord {
  readonly name: string
  readonly phase: ServicePhase
  readonly pid: number | null
  /** See ProcessIdentity; null with `pid`. */
  readonly startId: string | null
  readonly port: number | null
  readonly logFile: string
  /** ISO 8601; when the running process was started. */
  readonly startedAt: string | null
  /** How many times it was started again after a fall since it was asked for. */
  readonly restarts: number
  /** Why it is not running, where that is not the person's wish. */
  readonly detail: string | null
}

/** What happens to services, as it happens. Durations are milliseconds. */
export type ServiceEvent =
  | { readonly kind: 'starting'; readonly service: string }
  /** It runs already and is asked whether it is ready; `ready` follows, or the error of the start. */
  | { readonly kind: 'asked'; readonly service: string }
  | {
      readonly kind: 'ready'
      readonly service: string
      readonly pid: number
      readonly port: number | null
      readonly tookMs: number
      /** `alreadyRunning`: nothing was started, the one that lives was found ready. */
      readonly alreadyRunning: boolean
    }
  | { readonly kind: 'stopping'; readonly service: string }
  | { readonly kind: 'stopped'; readonly service: string; readonly tookMs: number; readonly killed: boolean }
  /** `how` reads after the name: `ended by SIGKILL`. */
  | { readonly kind: 'fell'; readonly service: string; readonly how: string; readonly restartInMs: number }
  | { readonly kind: 'gaveUp'; readonly service: string; readonly how: string }
  /** What is known of it can't be written, a full disk perhaps; told once until it can be again. It lives on. */
  | { readonly kind: 'unrecorded'; readonly service: string; readonly reason: string }
