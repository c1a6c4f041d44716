import {
  type Certificates,
  configuredPassword,
  configuredTls,
  readCertificates,
  type SecretPlaces,
  type Tls,
} from '../credentials.ts'
import type { Config } from '../project/config.ts'

/** How to connect to a Kafka cluster. */
export interface ClusterAddress {
  /** `host:port` of some of the brokers. */
  readonly brokers: readonly string[]
  /** TLS, always with a verified certificate; null: none. */
  readonly tls: Tls | null
  readonly sasl: Sasl | null
  /** Whether offstream starts the brokers. */
  readonly isStartedHere?: boolean
}

/** The cluster of brokers that offstream starts, each as `host:port`. */
export const localCluster = (...brokers: readonly string[]): ClusterAddress => ({
  ...{ brokers, tls: null, sasl: null, isStartedHere: true },
})

/** User and password for a cluster. */
export interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** The section of a cluster in the configuration. */
export type ClusterSection = Pick<Config['kafka'], 'brokers' | 'tls' | 'sasl'>

/** The addresses in a setting, such as `one:9092, two:9092`. */
export const addressesOf = (brokers: string): string[] =>
  brokers
    .split(',')
    .map(broker => broker.trim())
    .filter(broker => broker !== '')

/**
 * The cluster of a section of the configuration, with its password.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING (`passwordFile`)
 */
export const configuredCluster = (
  { brokers, tls, sasl }: ClusterSection,
  places: SecretPlaces,
): ClusterAddress => ({
  brokers: addressesOf(brokers),
  tls: configuredTls(tls, places.directory),
  sasl:
    sasl.mechanism === null || sasl.username === null
      ? null
      : {
          mechanism: sasl.mechanism,
          username: sasl.username,
          password: configuredPassword('sasl', sasl, places),
        },
})

/**
 * The settings of Kafka's Java client for a cluster, by their names; empty without TLS and SASL.
 * @throws OffstreamError FILE_MISSING
 */
export const javaClientSettings = (
  { tls, sasl }: ClusterAddress,
  read: (tls: Tls) => Certificates = readCertificates,
): Readonly<Record<string, string>> => {
  if (tls === null && sasl === null) return {}
  return {
    'security.protocol': `${sasl === null ? '' : 'SASL_'}${tls === null ? 'PLAINTEXT' : 'SSL'}`,
    ...(tls === null ? {} : javaTlsSettings(read(tls))),
    ...(sasl === null ? {} : javaSaslSettings(sasl)),
  }
}

/** The names of these settings for a section of the configuration. Neither a file nor the password is read. */
export const javaClientNames = (section: ClusterSection): readonly string[] => {
  const cluster = configuredCluster(section, { directory: '/', environment: {}, savedPassword: 'unused' })
  const unread = ({ caFile, certFile = null, keyFile = null }: Tls): Certificates => ({
    ...{ ca: caFile, cert: certFile, key: keyFile },
  })
  return Object.keys(javaClientSettings(cluster, unread))
}

const javaTlsSettings = ({ ca, cert, key }: Certificates): Record<string, string> => ({
  ...(ca === null ? {} : { 'ssl.truststore.type': 'PEM', 'ssl.truststore.certificates': ca }),
  ...(cert === null || key === null
    ? {}
    : { 'ssl.keystore.type': 'PEM', 'ssl.keystore.certificate.chain': cert, 'ssl.keystore.key': key }),
})

const javaSaslSettings = ({ mechanism, username, password }: Sasl): Record<string, string> => {
  const login = mechanism === 'plain' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
  const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
  return {
    'sasl.mechanism': mechanism.toUpperCase(),
    'sasl.jaas.config': `org.apache.kafka.common.security.${login} required username=${quoted(username)} password=${quoted(password)};`,
  }
}
