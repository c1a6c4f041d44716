import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { acknowledgedMessages, describeTopic } from './admin.ts'
import { localCluster } from './cluster.ts'

/** A server that accepts connections and never responds, like a broker that is stopped (SIGSTOP) or out of memory. */
const silentServer = async () => {
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

// Without a deadline, the client waits half a minute for the response, and again when it disconnects.
test('a request to a broker that does not respond fails after some seconds, with the reason', {
  timeout: 20_000,
}, async () => {
  await using broker = await silentServer()
  const cluster = localCluster(broker.address)
  await Promise.all([
    expect(acknowledgedMessages(cluster)).rejects.toThrow(/gave up|timed out|unreachable|answered/i),
    expect(describeTopic(cluster, null)).rejects.toMatchObject({
      code: 'KAFKA_UNREACHABLE',
      message: expect.stringMatching(/^Could not connect to a Kafka broker at `127.0.0.1:\d+`: .*timed out/i),
    }),
  ])
})
