import {
  directoriesOf,
  loadKafkaClient,
  loadThriftClient,
  readStackSettings,
  servicesOf,
} from '@offstream/pipeline'
import { keeperAnswers, OffstreamError, runKeeper, type ServiceEvent } from '@offstream/runtime'

/** A keeper in this very process. */
export interface OwnKeeper {
  /** Begins to keep; resolves once it can be asked. */
  readonly start: () => Promise<void>
  /** Resolves when it has ended, and with it everything that it kept. */
  readonly ended: () => Promise<void>
}

export interface OwnKeeperOptions {
  /** Ends everything in order, when aborted. */
  readonly signal: AbortSignal
  /** Kills everything, when aborted. */
  readonly force: AbortSignal
  readonly onEvent: (event: ServiceEvent) => void
  readonly onLogProblem?: (file: string, error: unknown) => void
}

/**
 * A keeper that runs here once it is started, until `signal` is aborted or another command has ended all services.
 * @throws OffstreamError ALREADY_KEPT where another process keeps the services of the project
 */
export const ownKeeper = async (
  state: string,
  { signal, force, onEvent, onLogProblem }: OwnKeeperOptions,
): Promise<OwnKeeper> => {
  const { run, logs } = directoriesOf(state)
  if (await keeperAnswers(run)) throw alreadyKept()
  // It runs for weeks; what it asks its services with must not be missing then, because offstream was updated meanwhile.
  await Promise.all([loadKafkaClient(), loadThriftClient()])
  let keeping: Promise<void> = Promise.resolve()
  return {
    start: async () => {
      const settings = await readStackSettings(state)
      await new Promise<void>((resolve, reject) => {
        keeping = runKeeper({
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
  new OffstreamError('ALREADY_KEPT', 'The services of this project run in the background already', {
    outcome: 'locked',
    hint: 'watch them with `offstream logs --follow`, or end them with `offstream down` first',
  })
