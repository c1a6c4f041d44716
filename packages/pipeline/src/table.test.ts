import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { query } from './table.ts'

/** A listener that is not a Thrift server. */
const stranger = async (greet: (socket: Socket) => void) => {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => undefined))
    greet(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const unreachable = {
  code: 'THRIFT_UNREACHABLE',
  outcome: 'unreachable',
  hint: expect.stringContaining('`offstream up`'),
}

// The driver itself waits for ever for each of these.
test.each<[string, (socket: Socket) => void]>([
  ['stays silent', () => undefined],
  ['hangs up at once', socket => socket.destroy()],
  [
    'hangs up in the middle of an answer',
    socket => socket.once('data', () => socket.end(Buffer.from([5, 0]))),
  ],
  ['speaks another language', socket => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
])('a listener that %s is not a Thrift server', { timeout: 30_000 }, async (_, greet) => {
  await using listener = await stranger(greet)
  await expect(query(listener, 'SELECT 1')).rejects.toMatchObject(unreachable)
})

/** Accepts the login and opens a session, as Spark's server does, and then never responds. */
const openSession = (socket: Socket): void => {
  let login = ''
  socket.on('data', data => {
    if (login.endsWith('none')) {
      const nameEnd = 12 + data.readInt32BE(8)
      const request = data.toString('latin1', 12, nameEnd)
      if (request === 'OpenSession') socket.write(openedSession(data.subarray(8, nameEnd + 4)))
      return
    }
    login += data.toString('latin1')
    if (login.endsWith('none')) socket.write(Buffer.from([5, 0, 0, 0, 0]))
  })
}

/** The response in Thrift's binary protocol. @param head the name and the number of the request */
const openedSession = (head: Buffer): Buffer => {
  const status = '0c0001' + '0800010000000000'
  const version = '08000200000009'
  const session = '0c0003' + '0c0001' + '0b00010000000161' + '0b00020000000162' + '0000'
  const body = Buffer.from(`0c0000${status}${version}${session}0000`, 'hex')
  const message = Buffer.concat([Buffer.from('80010002', 'hex'), head, body])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(message.length)
  return Buffer.concat([length, message])
}

test('a server that opens a session and then never responds is unreachable', async () => {
  await using listener = await stranger(openSession)
  const { port } = listener
  await expect(query(listener, 'SELECT 1', { responseTimeoutMs: 500 })).rejects.toMatchObject({
    ...unreachable,
    message: `Could not connect to a Thrift server at \`127.0.0.1:${port}\`: timed out after 0.5 s waiting for a response`,
  })
})

test('a port without a listener is reported as a missing Thrift server', async () => {
  const { host, port, ...listener } = await stranger(() => undefined)
  await listener[Symbol.asyncDispose]()
  await expect(query({ host, port }, 'SELECT 1')).rejects.toMatchObject({
    ...unreachable,
    message: expect.stringContaining(`\`${host}:${port}\``),
  })
})

test('an aborted query rejects with the reason', async () => {
  await using listener = await stranger(() => undefined)
  const abort = new AbortController()
  const asking = query(listener, 'SELECT 1', { signal: abort.signal })
  abort.abort(new Error('never mind'))
  await expect(asking).rejects.toThrow('never mind')
})
