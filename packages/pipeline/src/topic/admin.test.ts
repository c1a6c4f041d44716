import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { acknowledgedMessages } from './admin.ts'
import { localCluster } from './cluster.ts'

/** A listener that takes connections and never says a word, as a broker does that is stopped or out of memory. */
const silence = async () => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket.on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

// Left to itself, the client waits half a minute for its question and then once more to take its leave.
test('a request to a broker that does not answer fails after some seconds', { timeout: 20_000 }, async () => {
  await using broker = await silence()
  await expect(acknowledgedMessages(localCluster(broker.address))).rejects.toThrow(
    /gave up|timed out|unreachable|answered/i,
  )
})
