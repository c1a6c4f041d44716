import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { listenerOn, portHolder } from './ports.ts'
import { until } from './until.ts'

/** Listens on a free port of an address. */
const listen = async (host: string) => {
  const server = createServer().listen(0, host)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

const ourselves = { pid: process.pid, name: 'node' }

test('a listener is found by its port', async () => {
  const { server, port } = await listen('127.0.0.1')
  const client = connect(port, '127.0.0.1')
  expect(await listenerOn(port)).toEqual(ourselves)
  client.destroy()
  server.close()
  await until(async () => expect(await listenerOn(port)).toBeNull(), {
    what: 'the listener to close',
    timeoutMs: 5_000,
  })
})

test('a port that a listener of this address or of all addresses has is taken', async () => {
  const [one, all] = [await listen('127.0.0.1'), await listen('0.0.0.0')]
  expect([
    ...[await portHolder(one.port, '127.0.0.1'), await portHolder(one.port, 'localhost')],
    ...[await portHolder(all.port, '127.0.0.1'), await portHolder(one.port)],
  ]).toEqual([ourselves, ourselves, ourselves, ourselves])
})

test.runIf(process.platform === 'linux')('a listener on another address does not take the port', async () => {
  const { port } = await listen('127.0.0.2')
  expect([await portHolder(port, '127.0.0.1'), await listenerOn(port, '127.0.0.1')]).toEqual([null, null])
})

test('a free port stays free after it was probed', async () => {
  const { server, port } = await listen('127.0.0.1')
  server.close()
  await once(server, 'close')
  expect(await Promise.all([1, 2, 3].map(() => portHolder(port, '127.0.0.1')))).toEqual([null, null, null])
})

test('an address that this machine does not have is not reported as a taken port', async () => {
  expect(await portHolder(9092, '192.0.2.1')).toBeNull()
})
