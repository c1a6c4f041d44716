import { readFile } from 'node:fs/promises'
import { serve } from '@hono/node-server'
import {
  dashboardPage,
  directoriesOf,
  loadKafkaClient,
  loadThriftClient,
  readSavedStack,
} from '@offstream/pipeline'
import { dashboardApp } from './server/app.ts'
import { StackModel } from './server/model.ts'

/** The program of the service: `node main.js <project> <state folder>`. It runs until SIGTERM. */
const [project = '', state = ''] = process.argv.slice(2)
const stack = await readSavedStack(state)
if (stack === null) throw new Error(`no stack was started with the state folder ${state}`)

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())

// It runs for weeks. An update of offstream in the meantime must not remove files that it has not loaded yet.
await Promise.all([loadKafkaClient(), loadThriftClient()])
const { config } = stack
const token = await readFile(directoriesOf(state).dashboardToken, 'utf8')
const model = new StackModel(state, config)
const app = await dashboardApp({ project, state, config, token, model, page: dashboardPage })
const server = serve({ fetch: app.fetch, hostname: config.host, port: config.dashboard.port })
server.on('error', error => {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
})
await model.run(stop.signal)
server.close()
// Viewers keep their connections open.
process.exit(0)
