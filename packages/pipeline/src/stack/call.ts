import type { ServiceEvent } from '@offstream/runtime'

/** How a command starts and stops services. */
export interface StackCall {
  /** Starts a daemon process for the stack; resolves when the process was started. */
  readonly launchDaemon: () => Promise<void>
  readonly onEvent?: (event: ServiceEvent) => void
  /** Called if this command has to wait until another has finished. */
  readonly onWaiting?: () => void
  /** Called when `signal` is aborted: the command returns, and the daemon stops what was started. */
  readonly onWithdrawn?: () => void
  readonly signal?: AbortSignal | undefined
}

/** Handles an error of a call to the daemon: reports an abort, then rethrows. */
export const reportingWithdrawal =
  (signal: AbortSignal | undefined, onWithdrawn: StackCall['onWithdrawn']) =>
  (error: unknown): never => {
    if (signal?.aborted) onWithdrawn?.()
    throw error
  }
