import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import { jobService } from './job.ts'

test('a job becomes ready although its Spark UI never responds to the first probe', async () => {
  let requests = 0
  const server = createServer((_, response) => {
    requests += 1
    if (requests > 1) response.end('[{"id": "app-1"}]')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const stack = {
    ...{ project: '/project', state: '/state', config: Config.parse({}), archives: null },
    runtimes: {
      ...{ java: 'java', javaVersion: '17', python: 'python3', sparkHome: '/spark', kafkaLibs: '/kafka' },
      ...{ connectors: '/jars', ivy: { settings: '/ivy.xml', cache: '/ivy' } },
    },
  }
  const { ready } = jobService(stack, {
    ...{ name: 'sessions', program: '/sessions.py', args: [], directory: '/', cores: 1, memory: '512m' },
    ...{ packages: [], pyFiles: [], conf: {}, once: false, webPort: port },
  })
  await until(ready, { what: 'the job to be ready', timeoutMs: 40_000 })
  expect(requests).toBe(2)
})
