import {
  directoriesOf,
  loadKafkaClient,
  loadThriftClient,
  readSavedStack,
  servicesOf,
} from '@offstream/pipeline'
import { daemonResponds, type OffstreamError, runDaemon, type ServiceEvent } from '@offstream/runtime'
import { CliError } from './errors.ts'

/** A daemon in this very process. */
export interface OwnDaemon {
  /** Begins to keep; resolves once it can be asked. */
  readonly start: () => Promise<void>
  /** Resolves when it has ended, and with it everything that it kept. */
  readonly ended: () => Promise<void>
}

export interface OwnDaemonOptions {
  /** Ends everything in order, when aborted. */
  readonly signal: AbortSignal
  /** Kills everything, when aborted. */
  readonly force: AbortSignal
  readonly onEvent: (event: ServiceEvent) => void
  readonly onLogProblem?: (file: string, error: unknown) => void
}

/**
 * A daemon that runs here once it is started, until `signal` is aborted or another command has ended all services.
 * @throws OffstreamError ALREADY_RUNNING where another process keeps the services of the project
 */
export const ownDaemon = async (
  state: string,
  { signal, force, onEvent, onLogProblem }: OwnDaemonOptions,
): Promise<OwnDaemon> => {
  const { run, logs } = directoriesOf(state)
  if (await daemonResponds(run)) throw alreadyKept()
  // It runs for weeks; what it asks its services with must not be missing then, because offstream was updated meanwhile.
  await Promise.all([loadKafkaClient(), loadThriftClient()])
  let keeping: Promise<void> = Promise.resolve()
  return {
    start: async () => {
      const settings = await readSavedStack(state)
      await new Promise<void>((resolve, reject) => {
        keeping = runDaemon({
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
        keeping.catch(reject)
      })
    },
    ended: () => keeping,
  }
}

const alreadyKept = (): OffstreamError =>
  new CliError('ALREADY_RUNNING', 'The services of this project run in the background already', {
    hint: 'watch them with `offstream logs --follow`, or end them with `offstream down` first',
  })
