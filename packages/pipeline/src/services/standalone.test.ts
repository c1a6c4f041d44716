import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { type ActiveMaster, activeMaster, masterPages, whyUnsuitable } from './standalone.ts'
import { serveOn } from './testServer.ts'

test('each master has its page on the same port', () => {
  expect(masterPages('spark://one.example.org:7077,two:7078', 8080)).toEqual([
    'http://one.example.org:8080',
    'http://two:8080',
  ])
})

test('a cluster is unsuitable without a worker for an executor, or with another version', () => {
  const worker = { state: 'ALIVE', cores: 2, coresfree: 2, memory: 2_048, memoryfree: 2_048 }
  const reason = (changes: Partial<ActiveMaster>, ...settings: readonly string[]) =>
    whyUnsuitable(
      { status: 'ALIVE', workers: [worker], version: '4.1.1', at: null, page: '', ...changes },
      configOf(settings),
    )?.what
  expect([
    reason({}),
    reason({ version: '4.1.2' }),
    reason({ version: null }),
    reason({ version: '4.0.1' }),
    reason({ workers: [{ ...worker, state: 'DEAD' }] }),
    reason({}, 'stream.executorMemory=4g'),
    reason({}, 'stream.executorCores=4'),
  ]).toEqual([
    ...[undefined, undefined, undefined, 'runs Spark 4.0.1, and the driver is Spark 4.1.1'],
    ...['has no worker', 'has no worker with cores: 1, memory: 4g'],
    'has no worker with cores: 4, memory: 1g',
  ])
})

test('a master that accepts connections and never responds does not hide the active one', async () => {
  await using silent = await serveOn('127.0.0.1', 0, createServer())
  const responds = createServer((request, response) => {
    response.end(request.url === '/json/' ? '{"status": "ALIVE", "workers": []}' : '')
  })
  await using _ = await serveOn('127.0.0.2', silent.port, responds)
  const config = configOf([
    'spark.master=spark://127.0.0.1:7077,127.0.0.2:7077',
    `spark.webPort=${silent.port}`,
  ])
  expect(await activeMaster(config)).toMatchObject({ page: `http://127.0.0.2:${silent.port}` })
})
