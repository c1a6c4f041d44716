import { z } from 'zod'

/** `host:port`, comma separated; the port is required. */
export const brokers = z
  .string()
  // No IPv6 addresses: kafkajs ends the host at the first colon.
  .regex(
    /^(?:\s*[\w.-]+:\d{1,5}\s*(?:,|$))*$/,
    'must be addresses such as `one.example.org:9092,two.example.org:9092`',
  )

const file = (description: string) => z.string().min(1).nullable().default(null).describe(description)

/** TLS and SASL of the Kafka cluster in one section of the configuration. */
export const securitySettings = (passwordVariable: string) => ({
  tls: z
    .strictObject({
      enabled: z.boolean().default(false).describe('Use TLS; certificates and host names are verified'),
      caFile: file('PEM file of the certificate authority; null: the public authorities'),
      certFile: file('PEM file of the client certificate; null: none'),
      keyFile: file('PEM file of the client certificate’s private key, without a passphrase; null: none'),
    })
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: z
        .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
        .nullable()
        .default(null)
        .describe('SASL mechanism; null: no authentication'),
      username: z.string().nullable().default(null).describe('User name for SASL'),
      passwordVariable: z
        .string()
        .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
        .default(passwordVariable)
        .describe('Name of the environment variable with the password'),
      passwordFile: file(
        'File with the password, which is read if the environment variable is not set; null: none',
      ),
    })
    .prefault({}),
})

/** The sections of the configuration that have these settings. */
export const clusterSections = ['kafka', 'topic'] as const

interface SecuritySettings {
  readonly tls: {
    readonly enabled: boolean
    readonly caFile: string | null
    readonly certFile: string | null
    readonly keyFile: string | null
  }
  readonly sasl: { readonly mechanism: string | null; readonly username: string | null }
}

/** Values of a section that contradict each other. */
export const securityConflicts = (section: string, { tls, sasl }: SecuritySettings): string[] => {
  const files = (['caFile', 'certFile', 'keyFile'] as const).filter(name => tls[name] !== null)
  return [
    ...(tls.enabled ? [] : files.map(name => `tls.${name}: has no effect without ${section}.tls.enabled`)),
    ...(tls.certFile !== null && tls.keyFile === null
      ? [`tls.keyFile: must be set if ${section}.tls.certFile is set`]
      : []),
    ...(tls.certFile === null && tls.keyFile !== null
      ? [`tls.certFile: must be set if ${section}.tls.keyFile is set`]
      : []),
    ...(sasl.mechanism !== null && sasl.username === null
      ? [`sasl.username: must be set if ${section}.sasl.mechanism is set`]
      : []),
    ...(sasl.mechanism === null && sasl.username !== null
      ? [`sasl.mechanism: must be set if ${section}.sasl.username is set`]
      : []),
  ].map(problem => `${section}.${problem}`)
}
