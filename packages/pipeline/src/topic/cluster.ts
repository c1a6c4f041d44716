import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
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

/** Paths of PEM files. */
export interface Tls {
  /** The certificate of the certificate authority, if it is not a public one. */
  readonly caFile: string | null
  /** The client certificate and its private key, if the cluster requires them. */
  readonly certFile?: string | null
  readonly keyFile?: string | null
}

/** User and password for a cluster. */
export interface Sasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/** The section of a cluster in the configuration. */
export type ClusterSection = Pick<Config['kafka'], 'brokers' | 'tls' | 'sasl'>

/** Where relative paths and secrets are found. */
export interface SecretPlaces {
  /** The folder of the project. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The password that an earlier command has saved. */
  readonly savedPassword?: string | null
}

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
): ClusterAddress => {
  const path = (file: string | null) => (file === null ? null : resolve(places.directory, file))
  return {
    brokers: addressesOf(brokers),
    tls: tls.enabled
      ? { caFile: path(tls.caFile), certFile: path(tls.certFile), keyFile: path(tls.keyFile) }
      : null,
    sasl:
      sasl.mechanism === null || sasl.username === null
        ? null
        : { mechanism: sasl.mechanism, username: sasl.username, password: passwordOf(sasl, places) },
  }
}

/** @throws OffstreamError SECRET_MISSING, FILE_MISSING */
const passwordOf = (
  { passwordVariable, passwordFile }: ClusterSection['sasl'],
  { directory, environment, savedPassword }: SecretPlaces,
): string => {
  const inFile = () =>
    passwordFile === null ? null : readText(resolve(directory, passwordFile)).replace(/\r?\n$/, '')
  const password = environment[passwordVariable] || savedPassword || inFile()
  if (password) return password
  throw new PipelineError('SECRET_MISSING', `The environment variable \`${passwordVariable}\` is not set`, {
    hint: `set it for this command, for example with \`read -rs ${passwordVariable} && export ${passwordVariable}\`, or set \`sasl.passwordFile\``,
  })
}

/** The contents of the PEM files; null for a file that is not set. */
export interface Certificates {
  readonly ca: string | null
  readonly cert: string | null
  /** In PKCS #8, the only form that Java's client reads. */
  readonly key: string | null
}

/**
 * Reads and checks the PEM files.
 * @throws OffstreamError FILE_MISSING
 */
export const readCertificates = ({ caFile, certFile = null, keyFile = null }: Tls): Certificates => {
  const ca = caFile === null ? null : readPem(caFile, text => new X509Certificate(text))
  const cert = certFile === null ? null : readPem(certFile, text => new X509Certificate(text))
  const key = keyFile === null ? null : readPem(keyFile, createPrivateKey)
  if (cert !== null && key !== null && !cert.parsed.checkPrivateKey(key.parsed))
    throw new PipelineError(
      'FILE_MISSING',
      `\`${keyFile}\` is not the key of the certificate in \`${certFile}\``,
      { hint: 'use the certificate and the key that were issued together' },
    )
  return { ca: ca?.text ?? null, cert: cert?.text ?? null, key: key === null ? null : pkcs8(key.parsed) }
}

const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** The text of a PEM file, and what it contains. Of several certificates, only the first is parsed. */
const readPem = <T>(
  file: string,
  parse: (text: string) => T,
): { readonly text: string; readonly parsed: T } => {
  const text = readText(file)
  try {
    return { text, parsed: parse(text) }
  } catch (error) {
    throw unreadable(file, error)
  }
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error)
  }
}

const unreadable = (file: string, cause: unknown): OffstreamError =>
  new PipelineError('FILE_MISSING', `\`${file}\` cannot be read: ${messageOf(cause)}`, {
    hint: 'check the path and the permissions; certificates and keys are PEM files, keys without a passphrase',
    cause,
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
