import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Starts a web server of a test. It stops with all its connections. @param port 0: a free one */
export const serveOn = async (
  host: string,
  port: number,
  server: Server,
): Promise<AsyncDisposable & { readonly port: number }> => {
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
