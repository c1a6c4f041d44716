import {
  type LogLevel,
  logLevels,
  namesWith,
  readJobs,
  readLogs,
  readSavedStack,
  restartedWith,
  restartServices,
  stopJob,
  stopServices,
} from '@offstream/pipeline'
import { OffstreamError } from '@offstream/runtime'
import { RuntimeError } from '@offstream/runtime/errors'
import type { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { z } from 'zod'
import type { Failure } from '../wire.ts'
import { type GuardOptions, mayAct } from './guard.ts'

/** How many entries a log shows before the new ones. */
const tail = 300

const LogRequest = z.object({
  name: z.string(),
  level: z.enum(logLevels).default('info'),
  search: z.string().max(200).default(''),
})

/** The logs of services and jobs, and the actions. */
export const serveServices = (
  app: Hono,
  state: string,
  guardOptions: GuardOptions & { readonly readOnly: boolean },
): void => {
  app.get('/api/logs', async context => {
    const request = LogRequest.safeParse(context.req.query())
    if (!request.success || !(await logsOf(state)).includes(request.data.name))
      return context.json(failure('The service, the level or the search is not valid'), 400)
    const { name, level, search } = request.data
    return streamSSE(context, async stream => {
      const closed = new AbortController()
      stream.onAbort(() => closed.abort())
      const entries = readLogs(state, { ...queryOf(name, level, search), signal: closed.signal })
      // An empty group shows that the log was opened.
      await stream.writeSSE({ data: '[]' })
      for await (const group of entries) await stream.writeSSE({ data: JSON.stringify(group) })
    })
  })

  app.post('/api/services/:name/:action', async context => {
    const { name, action } = context.req.param()
    if (guardOptions.readOnly) return context.json(failure('This dashboard is read-only', readOnlyHint), 403)
    if (!mayAct(context, guardOptions))
      return context.json(failure('This browser does not have the token for actions', tokenHint), 401)
    const jobs = await readJobs(state)
    const isJob = jobs.some(job => job.name === name)
    const isKnown = name !== 'dashboard' && namesWith(jobs).includes(name)
    if (!isKnown || (action !== 'restart' && action !== 'stop'))
      return context.json(failure('The service or the action does not exist'), 404)
    try {
      if (action === 'restart') await restart(state, name)
      else await (isJob ? stopJob(state, name, {}) : stopServices(state, [name]))
      return context.json({ done: true })
    } catch (error) {
      return context.json(failureOf(error), 409)
    }
  })
}

const readOnlyHint = 'set `dashboard.readOnly` to false, then restart the dashboard'
const tokenHint = 'open the address that `offstream dashboard` prints'

const logsOf = async (state: string): Promise<readonly string[]> => [
  ...namesWith(await readJobs(state)),
  'daemon',
]

const queryOf = (name: string, level: LogLevel, search: string) => ({
  ...{ names: [name], since: null, tail, level, follow: true },
  grep: search === '' ? null : new RegExp(search.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'), 'i'),
})

const restart = async (state: string, name: string): Promise<void> => {
  const stack = await readSavedStack(state)
  if (stack === null) return
  // The dashboard cannot start a daemon: it would be its child.
  const launchDaemon = () => Promise.reject(daemonMissing())
  await restartServices(stack, await restartedWith(state, [name]), { launchDaemon })
}

const daemonMissing = (): OffstreamError =>
  new RuntimeError('DAEMON_LOST', 'The daemon, which runs the services, is not running', {
    hint: 'run `offstream status`, which starts it again',
  })

const failure = (message: string, hint = ''): Failure => ({ error: { code: null, message, hint } })

/** An error as data for the page. */
export const failureOf = (error: unknown): Failure =>
  error instanceof OffstreamError
    ? { error: { code: error.code, message: error.message, hint: error.hint } }
    : failure(error instanceof Error ? error.message : String(error))
