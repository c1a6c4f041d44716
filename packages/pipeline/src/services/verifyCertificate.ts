import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { checkServerIdentity, connect, createServer, type Server, type TlsOptions } from 'node:tls'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import type { Certificates } from '../credentials.ts'
import { PipelineError } from '../errors.ts'

const address = '127.0.0.1'

/**
 * Resolves if clients of a server will accept its certificate. A server and a client in this process try it, because a
 * service that rejects its own probe would only fail after the timeout of its start.
 * @param host the address of the service
 * @throws OffstreamError CERTIFICATE_REJECTED
 */
export const verifyCertificate = async (host: string, { ca, cert, key }: Certificates): Promise<void> => {
  try {
    const server = serverWith({ cert: cert ?? '', key: key ?? '' })
    server.listen(0, address)
    try {
      await once(server, 'listening')
      const client = connect({
        ...{ host: address, port: (server.address() as AddressInfo).port, ...(ca === null ? {} : { ca }) },
        checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
      })
      await once(client, 'secureConnect').finally(() => client.destroy())
    } finally {
      server.close()
    }
  } catch (error) {
    throw rejected(host, error)
  }
}

const serverWith = (options: TlsOptions): Server => {
  const server = createServer(options, socket => void socket.on('error', () => undefined))
  return server.on('tlsClientError', () => undefined)
}

const rejected = (host: string, error: unknown): OffstreamError =>
  new PipelineError(
    'CERTIFICATE_REJECTED',
    `Clients would reject the certificate of the Thrift server at \`${host}\`: ${messageOf(error)}`,
    {
      hint: 'check `thrift.tls.certFile` (with its chain), `keyFile` and `caFile`; the certificate must have the name or the address in `host`',
      cause: error,
    },
  )
