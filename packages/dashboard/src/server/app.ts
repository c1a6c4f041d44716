import { type Config, directoriesOf, readStreamBatches, thriftOf } from '@offstream/pipeline'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import type { Batches, History, Session } from '../wire.ts'
import { serveCharts } from './charts.ts'
import { guard, mayAct, signIn } from './guard.ts'
import type { StackModel } from './model.ts'
import { servePage } from './page.ts'
import { serveProducts } from './products.ts'
import { Queries } from './queries.ts'
import { failureOf, serveServices } from './services.ts'
import { serveTable } from './table.ts'
import { serveTopic } from './topic.ts'

/** What the server needs. */
export interface AppOptions {
  readonly project: string
  readonly state: string
  readonly config: Config
  readonly token: string
  readonly model: StackModel
  /** The folder of the bundled page. */
  readonly page: string
}

/** The routes of the dashboard. */
export const dashboardApp = async ({
  project,
  state,
  config,
  token,
  model,
  page,
}: AppOptions): Promise<Hono> => {
  const { port, readOnly } = config.dashboard
  const guardOptions = { host: config.host, port, token, readOnly }
  const app = new Hono()
  app.use('*', guard(guardOptions))
  app.use('/', signIn(guardOptions))
  app.onError((error, context) => context.json(failureOf(error), 502))

  app.get('/api/identity', context => context.json({ state }))
  app.get('/api/session', context =>
    context.json({ project, readOnly, mayAct: mayAct(context, guardOptions) } satisfies Session),
  )
  app.get('/api/live', context =>
    streamSSE(context, async stream => {
      const closed = new AbortController()
      stream.onAbort(() => closed.abort())
      for await (const live of model.follow(closed.signal))
        await stream.writeSSE({ data: JSON.stringify(live) })
    }),
  )
  app.get('/api/history', context =>
    context.json({ points: model.points, batches: model.batches } satisfies History),
  )
  app.get('/api/batches', async context => {
    const batches = await readStreamBatches(directoriesOf(state).streamBatches)
    return context.json({ batches } satisfies Batches)
  })
  serveServices(app, state, guardOptions)
  const version = () => model.tableVersion
  const queries = new Queries(() => thriftOf(config, state), version)
  serveTopic(app, { config, state }, model, queries)
  serveTable(app, queries)
  serveProducts(app, queries)
  serveCharts(app, project, queries, version)
  await servePage(app, page)
  return app
}
