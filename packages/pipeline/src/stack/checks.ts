import { listenerOn, messageOf, OffstreamError, type Service, withDeadline } from '@offstream/runtime'
import type { ServiceName } from '../names.ts'
import type { Config } from '../project/config.ts'
import { waitingReason } from '../services/job.ts'
import type { Job } from '../services/jobStore.ts'
import { checkExternal } from '../services/table.ts'
import type { ServiceStatus } from './states.ts'

/** The result of a health check. */
export interface Check {
  readonly healthy: boolean
  readonly detail: string | null
}

/** The result of a check that found nothing. */
export const healthy: Check = { healthy: true, detail: null }

/** How long a service may take to respond to a check. */
export const responseTimeoutMs = 10_000

/** The result as the health in the status. @param check null: nothing was checked */
export const healthOf = (check: Check | null): ServiceStatus['health'] =>
  check === null ? 'unknown' : check.healthy ? 'healthy' : 'unhealthy'

/** Checks an external service. The fix of its error is not a command of offstream, so the detail contains the whole error. */
export const probeExternal = async (name: ServiceName, config: Config, folder: string): Promise<Check> => {
  try {
    await withDeadline(signal => checkExternal(name, config, folder, signal), {
      ...{ what: `${name} to respond`, timeoutMs: responseTimeoutMs },
    })
    return healthy
  } catch (error) {
    const detail =
      error instanceof OffstreamError ? `${error.message} [${error.code}]; ${error.hint}` : messageOf(error)
    return { healthy: false, detail }
  }
}

/** Probes a running service. */
export const checkService = async (service: Service, pid: number | null): Promise<Check> => {
  const { name, ready, listensOn = [] } = service
  try {
    await withDeadline(ready, { what: `${name} to respond`, timeoutMs: responseTimeoutMs })
    // Another process may have responded.
    for (const { port } of listensOn) {
      const listener = await listenerOn(port, undefined, pid)
      if (listener === null) return { healthy: false, detail: `no process listens on port ${port}` }
      if (listener.pid !== pid)
        return {
          healthy: false,
          detail: `\`${listener.name}\` (pid ${listener.pid}) listens on port ${port}`,
        }
    }
    return healthy
  } catch (error) {
    return { healthy: false, detail: detailOf(error) }
  }
}

/** Probes a running job, and checks whether its tasks run. */
export const checkJob = async (
  service: Service,
  pid: number | null,
  config: Config,
  job: Job,
): Promise<Check> => {
  const check = await checkService(service, pid)
  if (!check.healthy) return check
  const signal = AbortSignal.timeout(responseTimeoutMs)
  const reason = await waitingReason(config, job, signal).catch(messageOf)
  return { healthy: reason === null, detail: reason }
}

/** For a lost table also the fix: `offstream up`, the fix for most other problems, does not restore it. */
const detailOf = (error: unknown): string =>
  error instanceof OffstreamError && error.code === 'TABLE_MISSING'
    ? `${error.message}; ${error.hint}`
    : messageOf(error)
