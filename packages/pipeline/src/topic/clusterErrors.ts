import { messageOf, OffstreamError } from '@offstream/runtime'
import { isCertificateCode } from '../credentials.ts'
import { PipelineError } from '../errors.ts'
import type { ClusterAddress } from './cluster.ts'

/** What kafkajs, Kafka's protocol and Node call an error. Empty: unknown. */
interface Root {
  readonly name: string
  /** The name of the broker's error in Kafka's protocol. */
  readonly type: string
  /** Node's code for an error of the connection. */
  readonly code: string
}

/** The first cause of an error. kafkajs wraps errors, for example after the last retry. */
export const rootErrorOf = (error: unknown): Root => {
  if (!(error instanceof Error)) return { name: '', type: '', code: '' }
  const inner = innerOf(error)
  const type = textOf(error, 'type')
  return inner instanceof Error && type === ''
    ? rootErrorOf(inner)
    : { name: error.name, type, code: textOf(error, 'code') }
}

const innerOf = (error: Error): unknown => {
  const { cause, originalError, errors } = error as Error & { originalError?: unknown; errors?: unknown }
  return cause ?? originalError ?? (Array.isArray(errors) ? errors[0] : undefined)
}

/** An error for the user, or the one inside an error of kafkajs: it wraps that of a token; otherwise null. */
const userErrorIn = (error: unknown): OffstreamError | null => {
  if (error instanceof OffstreamError) return error
  return error instanceof Error ? userErrorIn(innerOf(error)) : null
}

const textOf = (error: Error, property: string): string => {
  const value: unknown = Reflect.get(error, property)
  return typeof value === 'string' ? value : ''
}

/** What the caller was doing when the cluster failed, for the message and the hint. */
export interface Attempt extends Pick<ClusterAddress, 'brokers'> {
  readonly topic: string
  /** The consumer group, if one is used. */
  readonly group?: string
  /** The fix if no broker responds. */
  readonly hint?: string
}

/**
 * The user's error for a cluster that denies access or cannot be reached; null for any other error.
 * Codes: AUTHENTICATION_FAILED, TOKEN_FAILED, ACCESS_DENIED, CERTIFICATE_REJECTED, KAFKA_UNREACHABLE.
 */
export const clusterErrorOf = (
  error: unknown,
  { brokers, topic, group, hint }: Attempt,
): OffstreamError | null => {
  const userError = userErrorIn(error)
  if (userError !== null) return userError
  const { name, type, code } = rootErrorOf(error)
  const address = brokers.join(',')
  if (name === 'KafkaJSSASLAuthenticationError' || /AUTHENTICATION|SASL/.test(type))
    return new PipelineError(
      'AUTHENTICATION_FAILED',
      `Kafka at \`${address}\` rejected the user: ${messageOf(error)}`,
      { hint: 'check the user name, the password or the token, and the mechanism', cause: error },
    )
  if (type.endsWith('AUTHORIZATION_FAILED'))
    return new PipelineError('ACCESS_DENIED', `Kafka at \`${address}\` denied access: ${messageOf(error)}`, {
      hint: `give the user permissions on topic \`${topic}\`${group === undefined ? '' : ` and group \`${group}\``}`,
      cause: error,
    })
  if (isCertificateCode(code))
    return new PipelineError(
      'CERTIFICATE_REJECTED',
      `The TLS connection to Kafka at \`${address}\` was rejected: ${messageOf(error)}`,
      {
        hint: 'check `tls.caFile`, the host name in the address, and whether the cluster requires a client certificate',
        cause: error,
      },
    )
  return /Connection|Brokers|Timeout|NonRetriable|NumberOfRetries/.test(name)
    ? unreachable(brokers, error, hint)
    : null
}

/** The user's error if no broker responds. */
export const unreachable = (
  brokers: readonly string[],
  cause: unknown,
  hint = 'check the address and the port, and whether the listener requires TLS or SASL',
): OffstreamError =>
  new PipelineError(
    'KAFKA_UNREACHABLE',
    `Could not connect to a Kafka broker at \`${brokers.join(',')}\`: ${messageOf(cause)}`,
    { hint, cause },
  )
