import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import { PipelineError } from './errors.ts'

/** Paths of PEM files. */
export interface Tls {
  /** The certificate of the certificate authority, if it is not a public one. */
  readonly caFile: string | null
  /** The certificate of this side and its private key, if one is required. */
  readonly certFile?: string | null
  readonly keyFile?: string | null
}

/** The settings of TLS in a section of the configuration. */
interface TlsSection {
  readonly enabled: boolean
  readonly caFile: string | null
  readonly certFile: string | null
  readonly keyFile: string | null
}

/** The settings of a password in a section of the configuration. */
export interface PasswordSection {
  readonly passwordVariable: string
  readonly passwordFile: string | null
}

/** Where relative paths and secrets are found. */
export interface SecretPlaces {
  /** The folder of the project. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The password that an earlier command has saved. */
  readonly savedPassword?: string | null
}

/** TLS as a section of the configuration sets it; null: none. */
export const configuredTls = (
  { enabled, caFile, certFile, keyFile }: TlsSection,
  directory: string,
): Tls | null => {
  const path = (file: string | null) => (file === null ? null : resolve(directory, file))
  return enabled ? { caFile: path(caFile), certFile: path(certFile), keyFile: path(keyFile) } : null
}

/**
 * The password of the environment, of an earlier command or of the file.
 * @param section the name of the section, for the hint
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const configuredPassword = (
  section: string,
  { passwordVariable, passwordFile }: PasswordSection,
  { directory, environment, savedPassword }: SecretPlaces,
): string => {
  const inFile = () =>
    passwordFile === null ? null : readText(resolve(directory, passwordFile)).replace(/\r?\n$/, '')
  const password = environment[passwordVariable] || savedPassword || inFile()
  if (password) return password
  throw new PipelineError('SECRET_MISSING', `The environment variable \`${passwordVariable}\` is not set`, {
    hint: `set it for this command, for example with \`read -rs ${passwordVariable} && export ${passwordVariable}\`, or set \`${section}.passwordFile\``,
  })
}

/** The contents of the PEM files; null for a file that is not set. */
export interface Certificates {
  readonly ca: string | null
  readonly cert: string | null
  /** In PKCS #8, the only form that Java reads. */
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

/** The options of Node for a TLS connection to a host. */
export const tlsOptions = (host: string, { ca, cert, key }: Certificates) => ({
  // TLS permits only names here; the certificate is also verified for an IP address.
  ...(isIP(host) === 0 ? { servername: host } : {}),
  ...(ca === null ? {} : { ca }),
  ...(cert === null || key === null ? {} : { cert, key }),
})

const certificateCodes = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_(?!WRONG_VERSION)/

/** Whether the code of a connection's error means that a certificate was rejected. */
export const isCertificateCode = (code: string): boolean => certificateCodes.test(code)

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

const pemHint =
  'check the path and the permissions; certificates and keys are PEM files, keys without a passphrase'

/**
 * The text of a file with a secret or a certificate.
 * @throws OffstreamError FILE_MISSING
 */
export const readText = (file: string, hint = pemHint): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw unreadable(file, error, hint)
  }
}

const unreadable = (file: string, cause: unknown, hint = pemHint): OffstreamError =>
  new PipelineError('FILE_MISSING', `\`${file}\` cannot be read: ${messageOf(cause)}`, { hint, cause })
