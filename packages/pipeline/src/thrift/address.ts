import { messageOf, OffstreamError } from '@offstream/runtime'
import { isCertificateCode, type Tls } from '../credentials.ts'
import { PipelineError } from '../errors.ts'

/** How a Thrift server is reached. */
export interface ThriftAddress {
  readonly host: string
  readonly port: number
  /** TLS, always with a verified certificate; null (the default): none. */
  readonly tls?: Pick<Tls, 'caFile'> | null
  /** Null (the default): the server requires no password. */
  readonly login?: { readonly username: string; readonly password: string } | null
  /** Whether it is not started by offstream. */
  readonly isExternal?: boolean
}

/** The error of a server that has rejected the user. */
export const loginRejected = ({ host, port }: ThriftAddress, cause: unknown): OffstreamError =>
  new PipelineError(
    'AUTHENTICATION_FAILED',
    `The Thrift server at \`${host}:${port}\` rejected the user: ${messageOf(cause)}`,
    { hint: 'check `thrift.auth.username` and the password', cause },
  )

/** The error of a connection that failed or broke. */
export const unreachable = (address: ThriftAddress, cause: unknown): OffstreamError => {
  if (cause instanceof OffstreamError) return cause
  const server = `\`${address.host}:${address.port}\``
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  if (address.tls != null && isCertificateCode(code))
    return new PipelineError(
      'CERTIFICATE_REJECTED',
      `The TLS connection to the Thrift server at ${server} was rejected: ${messageOf(cause)}`,
      {
        hint: 'check `thrift.tls.caFile`, and whether the certificate of the server has this host name',
        cause,
      },
    )
  return new PipelineError(
    'THRIFT_UNREACHABLE',
    `Could not connect to a Thrift server at ${server}: ${messageOf(cause)}`,
    {
      hint: address.isExternal
        ? 'check `thrift.host` and `thrift.port`, and whether the server requires TLS or another authentication'
        : 'start the services with `offstream up`; `offstream status` shows them',
      cause,
    },
  )
}
