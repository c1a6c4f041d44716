import { resolve } from 'node:path'
import {
  type Certificates,
  configuredPassword,
  configuredTls,
  readCertificates,
  type SecretPlaces,
  type Tls,
} from '../credentials.ts'
import type { Config } from '../project/config.ts'
import type { TokenLogin } from './token.ts'

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

/** How clients log in to a cluster. */
export type Sasl = PasswordLogin | TokenLogin

/** User and password for a cluster. */
interface PasswordLogin {
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
  sasl: configuredLogin(sasl, places),
})

const configuredLogin = (sasl: ClusterSection['sasl'], places: SecretPlaces): Sasl | null => {
  const { mechanism, username, tokenCommand } = sasl
  if (mechanism === 'oauthbearer')
    return tokenCommand === null ? null : tokenLogin(tokenCommand, places.directory)
  return mechanism === null || username === null
    ? null
    : { mechanism, username, password: configuredPassword('sasl', sasl, places) }
}

/** A path of the program is relative to the project; a name is looked up in `PATH`. */
const tokenLogin = ([program = '', ...args]: readonly string[], directory: string): TokenLogin => ({
  mechanism: 'oauthbearer',
  command: [program.includes('/') ? resolve(directory, program) : program, ...args],
  directory,
})

/** The password of a login; null if it has none. */
export const passwordOf = ({ sasl }: Pick<ClusterAddress, 'sasl'>): string | null =>
  sasl === null || sasl.mechanism === 'oauthbearer' ? null : sasl.password

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

const javaSaslSettings = (sasl: Sasl): Record<string, string> => {
  const security = 'org.apache.kafka.common.security'
  const mechanism = sasl.mechanism.toUpperCase()
  if (sasl.mechanism === 'oauthbearer')
    return {
      'sasl.mechanism': mechanism,
      'sasl.login.callback.handler.class': 'offstream.TokenCommand',
      'sasl.jaas.config': `${security}.oauthbearer.OAuthBearerLoginModule required ${optionsOf(sasl)};`,
    }
  const login = sasl.mechanism === 'plain' ? 'plain.PlainLoginModule' : 'scram.ScramLoginModule'
  const options = jaasOptions({ username: sasl.username, password: sasl.password })
  return {
    'sasl.mechanism': mechanism,
    'sasl.jaas.config': `${security}.${login} required ${options};`,
  }
}

/** The options of `spark-jobs/token/TokenCommand.java`. */
const optionsOf = ({ command, directory }: TokenLogin): string =>
  jaasOptions({
    directory,
    ...Object.fromEntries(command.map((argument, index) => [`argument${index}`, argument])),
  })

const jaasOptions = (options: Readonly<Record<string, string>>): string =>
  Object.entries(options)
    .map(([name, value]) => `${name}="${value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`)
    .join(' ')
