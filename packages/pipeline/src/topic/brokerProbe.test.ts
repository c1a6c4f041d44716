import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { probeBroker } from './brokerProbe.ts'

/** A server that responds to the first request with these bytes. A real test probes a broker. */
const serverWith = async (response: Buffer): Promise<string> => {
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(response))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A response that lists these requests: key, oldest and newest version. */
const responseWith = (...requests: readonly (readonly [number, number, number])[]): Buffer => {
  const bytes = Buffer.alloc(14 + 6 * requests.length)
  bytes.writeInt32BE(bytes.length - 4, 0)
  bytes.writeInt32BE(1, 4)
  bytes.writeInt32BE(requests.length, 10)
  for (const [index, versions] of requests.entries())
    for (const [part, value] of versions.entries()) bytes.writeInt16BE(value, 14 + 6 * index + 2 * part)
  return bytes
}

const signal = AbortSignal.timeout(10_000)

test.each([
  ['4.1 or newer', 18, false],
  ['3.7 or 3.8', 16, false],
  ['2.7 to 3.0', 12, false],
  ['older than 2.7', 10, true],
])('a broker is %s by the newest Fetch request that it supports', async (version, fetch, isOld) => {
  const address = await serverWith(responseWith([0, 0, 9], [1, 0, fetch], [19, 0, isOld ? 3 : 7]))
  expect(await probeBroker(address, null, signal)).toEqual({ certificateExpires: null, version, isOld })
})

test.each([
  ['closes the connection', Buffer.alloc(0)],
  ['sends half of a response', responseWith([1, 0, 12]).subarray(0, 16)],
  ['responds with HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('a server that %s is not a broker', async (_, response) => {
  const address = await serverWith(response)
  await expect(probeBroker(address, null, signal)).rejects.toThrow('is not a Kafka broker')
})
