import { assetPath, type Chart, listCharts, renderChart, titleOf } from '@offstream/pipeline'
import type { Hono } from 'hono'
import type { ChartList } from '../wire.ts'
import { Once } from './once.ts'
import type { Queries } from './queries.ts'

/** The charts of the project, drawn as `offstream charts` draws them. */
export const serveCharts = (app: Hono, project: string, queries: Queries, version: () => number): void => {
  const once = new Once(version)
  const list = (): Promise<readonly Chart[]> => listCharts(assetPath(project, 'charts'))
  app.get('/api/charts', async context => {
    const charts = (await list()).map(chart => ({ name: chart.name, title: titleOf(chart) }))
    return context.json({ charts, version: version() } satisfies ChartList)
  })
  app.get('/charts/:name', async context => {
    const name = context.req.param('name')
    const theme = context.req.query('theme') === 'dark' ? 'dark' : 'light'
    const chart = (await list()).find(each => each.name === name)
    if (chart === undefined) return context.notFound()
    const svg = await once.get(`${name} ${theme}`, async () =>
      renderChart(chart, await queries.run(chart.sql), theme),
    )
    context.header('Content-Type', 'image/svg+xml')
    return context.body(svg)
  })
}
