import {
  directoriesOf,
  loadKafkaClient,
  loadThriftClient,
  readSavedStack,
  servicesOf,
} from '@offstream/pipeline'
import { daemonResponds, runDaemon, type ServiceEvent } from '@offstream/runtime'
import { CliError } from './errors.ts'
import { ignoreStreamErrors } from './streams.ts'

/** A daemon in this process. */
export interface ProcessDaemon {
  /** Starts it; resolves when it accepts requests. */
  readonly start: () => Promise<void>
  /** Resolves when it and all of its services have stopped. */
  readonly stopped: () => Promise<void>
}

export interface ProcessDaemonOptions {
  /** Stops all services in order when aborted. */
  readonly signal: AbortSignal
  /** Kills all services when aborted. */
  readonly force: AbortSignal
  readonly onEvent: (event: ServiceEvent) => void
  readonly onLogProblem?: (file: string, error: unknown) => void
}

/**
 * A daemon that, once started, runs in this process until `signal` is aborted or another command stops all services.
 * @throws CliError ALREADY_RUNNING if another process is the daemon of the stack
 */
export const daemonInProcess = async (
  state: string,
  { signal, force, onEvent, onLogProblem }: ProcessDaemonOptions,
): Promise<ProcessDaemon> => {
  const { run, logs } = directoriesOf(state)
  if (await daemonResponds(run))
    throw new CliError(
      'ALREADY_RUNNING',
      'The services of this project are already running in the background',
      {
        hint: 'follow their logs with `offstream logs --follow`, or stop them with `offstream down` first',
      },
    )
  // A daemon runs for weeks. An update of offstream meanwhile must not remove files that it has not loaded yet.
  await Promise.all([loadKafkaClient(), loadThriftClient()])
  // Without this, a full disk or a closed pipe would end the daemon and leave its services unsupervised.
  ignoreStreamErrors()
  let running: Promise<void> = Promise.resolve()
  return {
    start: async () => {
      const settings = await readSavedStack(state)
      await new Promise<void>((resolve, reject) => {
        running = runDaemon({
          directory: run,
          logs,
          build: servicesOf,
          settings,
          onEvent,
          ...(onLogProblem === undefined ? {} : { onLogProblem }),
          signal,
          force,
          onListening: resolve,
        })
        running.catch(reject)
      })
    },
    stopped: () => running,
  }
}
