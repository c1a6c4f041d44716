import { once } from 'node:events'
import { addAbortSignal } from 'node:stream'
import { connect } from 'node:tls'
import { messageOf, OffstreamError } from '@offstream/runtime'
import { configuredTls, readCertificates, tlsOptions } from '../credentials.ts'
import type { Config } from '../project/config.ts'
import { projectFolder } from '../project/directories.ts'
import type { Environment } from '../runtimes/environment.ts'
import { isThriftExternal, thriftHost, thriftOf } from '../services/thriftServer.ts'
import { verifyCertificate } from '../services/verifyCertificate.ts'
import { certificateFindings, type Expiry, expiriesIn } from './certificates.ts'
import type { Finding } from './finding.ts'

/** Where the settings and the password of the Thrift server are. */
interface Surroundings {
  readonly config: Config
  /** The state folder of the stack. */
  readonly state: string
  readonly environment: Environment
}

/** Whether the Thrift server is protected, and when its certificates expire; nothing without password and TLS. */
export const thriftFindings = async (surroundings: Surroundings, signal: AbortSignal): Promise<Finding[]> => {
  const { config, state } = surroundings
  const expiries = await (isThriftExternal(config)
    ? remoteExpiries(config, state, signal)
    : ownExpiries(config, state)
  ).catch(() => [])
  return [
    ...(isThriftExternal(config) ? [] : await protection(surroundings)),
    ...certificateFindings('Thrift certificates', expiries, new Date()),
  ]
}

const protection = async ({ config, state, environment }: Surroundings): Promise<Finding[]> => {
  const { auth, tls } = config.thrift
  if (auth.username === null && !tls.enabled) return []
  const name = 'Thrift protection'
  try {
    await thriftOf(config, state, environment)
    const files = configuredTls(tls, projectFolder(state))
    if (files !== null) await verifyCertificate(config.host, readCertificates(files))
    const found = [...(auth.username === null ? [] : ['password']), ...(tls.enabled ? ['TLS'] : [])]
    return [{ name, verdict: 'ok', found: found.join(' and '), hint: null }]
  } catch (error) {
    const hint = error instanceof OffstreamError ? error.hint : null
    return [{ name, verdict: 'problem', found: messageOf(error), hint }]
  }
}

const ownExpiries = async (config: Config, state: string): Promise<Expiry[]> => {
  const tls = configuredTls(config.thrift.tls, projectFolder(state))
  if (tls === null) return []
  const { ca, cert } = readCertificates(tls)
  return [...expiriesIn('`thrift.tls.caFile`', ca), ...expiriesIn('`thrift.tls.certFile`', cert)]
}

const remoteExpiries = async (config: Config, state: string, signal: AbortSignal): Promise<Expiry[]> => {
  const tls = configuredTls(config.thrift.tls, projectFolder(state))
  if (tls === null) return []
  const { port } = config.thrift
  const host = thriftHost(config)
  const certificates = readCertificates(tls)
  const socket = addAbortSignal(signal, connect({ host, port, ...tlsOptions(host, certificates) }))
  try {
    await once(socket, 'secureConnect')
    const server = { of: `\`${host}:${port}\``, at: new Date(socket.getPeerCertificate().valid_to) }
    return [server, ...expiriesIn('`thrift.tls.caFile`', certificates.ca)]
  } finally {
    socket.destroy()
  }
}
