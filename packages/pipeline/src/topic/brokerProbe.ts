import { once } from 'node:events'
import { connect as openSocket, type Socket } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { connect as openTls, type TLSSocket } from 'node:tls'
import { readCertificates, type Tls, tlsOptions } from '../credentials.ts'

/** What a broker reports before a user authenticates. */
export interface BrokerFacts {
  /** When its certificate expires; null without TLS. */
  readonly certificateExpires: Date | null
  /** The releases of Kafka that support the same requests, such as `3.7 or 3.8`. */
  readonly version: string
  /** Whether it is older than 2.4, the first release that can choose the number of replicas of a new topic itself. */
  readonly isOld: boolean
}

/**
 * Requests from one broker which requests it supports. Kafka responds to this before SASL. It does not report its version.
 * @param address `host:port`
 */
export const probeBroker = async (
  address: string,
  tls: Tls | null,
  signal: AbortSignal,
): Promise<BrokerFacts> => {
  const [host = '', port] = address.split(':')
  const destination = { host, port: Number(port) }
  const secure = tls === null ? null : openTls({ ...destination, ...tlsOptions(host, readCertificates(tls)) })
  const socket = addAbortSignal(signal, secure ?? openSocket(destination))
  try {
    const certificateExpires = secure === null ? null : await expiryOf(secure)
    socket.write(supportedRequests)
    return { certificateExpires, ...releaseOf(requestsIn(await readResponse(socket))) }
  } finally {
    socket.destroy()
  }
}

/** When the certificate of the broker expires. Resolves when the certificate was verified. */
const expiryOf = async (socket: TLSSocket): Promise<Date> => {
  await once(socket, 'secureConnect')
  return new Date(socket.getPeerCertificate().valid_to)
}

/** The broker writes it to its log. */
const clientId = 'offstream'

const apiVersionsKey = 18
const fetchKey = 1
const createTopicsKey = 19

/**
 * The request ApiVersions, version 0, with header version 1: size, key, version, correlation id, client id.
 * @see https://kafka.apache.org/protocol
 */
const supportedRequests = (() => {
  const client = Buffer.from(clientId)
  const bytes = Buffer.alloc(14)
  bytes.writeInt32BE(10 + client.length, 0)
  bytes.writeInt16BE(apiVersionsKey, 4)
  bytes.writeInt32BE(1, 8)
  bytes.writeInt16BE(client.length, 12)
  return Buffer.concat([bytes, client])
})()

const maxResponseBytes = 64 * 1024

/** The response without its size. */
const readResponse = async (socket: Socket): Promise<Buffer> => {
  let received = Buffer.alloc(0)
  for await (const chunk of socket) {
    received = Buffer.concat([received, chunk])
    const size = received.length < 4 ? null : received.readInt32BE(0)
    if (size !== null && (size < 0 || size > maxResponseBytes)) break
    if (size !== null && received.length >= size + 4) return received.subarray(4, size + 4)
  }
  throw new Error('the server closed the connection, or is not a Kafka broker')
}

/**
 * The newest supported version of each request, by its key. The response has a correlation id, an error and a length, then
 * for each request its key, its oldest and its newest version.
 */
const requestsIn = (response: Buffer): ReadonlyMap<number, number> => {
  const requests = new Map<number, number>()
  for (let at = 10; at + 6 <= response.length; at += 6)
    requests.set(response.readInt16BE(at), response.readInt16BE(at + 4))
  return requests
}

/** The releases by the newest version of Fetch that they support, the newest first. */
const releases = [
  { fetch: 18, version: '4.1 or newer' },
  { fetch: 17, version: '3.9 or 4.0' },
  { fetch: 16, version: '3.7 or 3.8' },
  { fetch: 14, version: '3.5 or 3.6' },
  { fetch: 13, version: '3.1 to 3.4' },
  { fetch: 12, version: '2.7 to 3.0' },
] as const

const releaseOf = (requests: ReadonlyMap<number, number>): Pick<BrokerFacts, 'version' | 'isOld'> => {
  const newestFetch = requests.get(fetchKey) ?? 0
  return {
    version: releases.find(({ fetch }) => newestFetch >= fetch)?.version ?? 'older than 2.7',
    isOld: (requests.get(createTopicsKey) ?? 0) < 4,
  }
}
