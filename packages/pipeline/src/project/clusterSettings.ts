import { z } from 'zod'

/** A port. */
export const port = z.int().min(1).max(65_535)

/** Memory of a Java program, as Java writes it. */
export const memory = z
  .string()
  .regex(/^\d+[mg]$/, 'must be a number of megabytes or gigabytes such as `512m` or `1g`')

/** `host:port`, comma separated; the port is required. */
export const brokers = z
  .string()
  // No IPv6 addresses: kafkajs ends the host at the first colon.
  .regex(
    /^(?:\s*[\w.-]+:\d{1,5}\s*(?:,|$))*$/,
    'must be addresses such as `one.example.org:9092,two.example.org:9092`',
  )

const file = (description: string) => z.string().min(1).nullable().default(null).describe(description)

/** TLS in a section of the configuration. @param cert whose certificate `certFile` is, for the description */
export const tlsSettings = (cert: string) =>
  z
    .strictObject({
      enabled: z.boolean().default(false).describe('Use TLS; certificates and host names are verified'),
      caFile: file('PEM file of the certificate authority; null: the public authorities'),
      certFile: file(`PEM file of ${cert}; null: none`),
      keyFile: file(`PEM file of the private key of \`certFile\`, without a passphrase; null: none`),
    })
    .prefault({})

/** Where a password is found: it is not a setting itself. */
export const passwordSettings = (passwordVariable: string) => ({
  passwordVariable: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
    .default(passwordVariable)
    .describe('Name of the environment variable with the password'),
  passwordFile: file(
    'File with the password, which is read if the environment variable is not set; null: none',
  ),
})

/** TLS and SASL of the Kafka cluster in one section of the configuration. */
export const securitySettings = (passwordVariable: string) => ({
  tls: tlsSettings('the client certificate'),
  sasl: z
    .strictObject({
      mechanism: z
        .enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'])
        .nullable()
        .default(null)
        .describe('SASL mechanism; null: no authentication'),
      username: z.string().nullable().default(null).describe('User name for SASL'),
      ...passwordSettings(passwordVariable),
      tokenCommand: z
        .array(z.string())
        .min(1)
        .nullable()
        .default(null)
        .describe(
          'With `oauthbearer`: the program, and its arguments, that prints a new token (JWT) each time it runs, such as `[bin/token, --audience, kafka]`; it must not need a terminal; null: none',
        ),
    })
    .prefault({}),
})

/** The sections of the configuration that have these settings. */
export const clusterSections = ['kafka', 'topic'] as const

type TlsSettings = z.infer<ReturnType<typeof tlsSettings>>

/** Values of TLS in a section that contradict each other. */
export const tlsConflicts = (section: string, tls: TlsSettings): string[] => {
  const files = (['caFile', 'certFile', 'keyFile'] as const).filter(name => tls[name] !== null)
  return [
    ...(tls.enabled ? [] : files.map(name => `${name}: has no effect without ${section}.tls.enabled`)),
    ...(tls.certFile !== null && tls.keyFile === null
      ? [`keyFile: must be set if ${section}.tls.certFile is set`]
      : []),
    ...(tls.certFile === null && tls.keyFile !== null
      ? [`certFile: must be set if ${section}.tls.keyFile is set`]
      : []),
  ].map(problem => `${section}.tls.${problem}`)
}

interface SecuritySettings {
  readonly tls: TlsSettings
  readonly sasl: {
    readonly mechanism: string | null
    readonly username: string | null
    readonly tokenCommand: readonly string[] | null
  }
}

/** Values of a section that contradict each other. */
export const securityConflicts = (section: string, { tls, sasl }: SecuritySettings): string[] => [
  ...tlsConflicts(section, tls),
  ...loginConflicts(`${section}.sasl`, sasl),
]

const loginConflicts = (
  section: string,
  { mechanism, username, tokenCommand }: SecuritySettings['sasl'],
): string[] => {
  if (mechanism === 'oauthbearer')
    return [
      ...(tokenCommand === null
        ? [`${section}.tokenCommand: must be set if ${section}.mechanism is oauthbearer`]
        : []),
      ...(username === null
        ? []
        : [
            `${section}.username: has no effect if ${section}.mechanism is oauthbearer: the token names the user`,
          ]),
    ]
  return [
    ...(mechanism !== null && username === null
      ? [`${section}.username: must be set if ${section}.mechanism is set`]
      : []),
    ...(mechanism === null && username !== null
      ? [`${section}.mechanism: must be set if ${section}.username is set`]
      : []),
    ...(tokenCommand === null
      ? []
      : [`${section}.tokenCommand: has no effect unless ${section}.mechanism is oauthbearer`]),
  ]
}
