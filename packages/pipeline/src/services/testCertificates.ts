import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'

/** Paths of PEM files. */
export interface TestCertificate {
  readonly certFile: string
  readonly keyFile: string
}

/** An authority, and a certificate for each name. */
export interface TestCertificates<Name extends string> {
  readonly caFile: string
  readonly of: Readonly<Record<Name, TestCertificate>>
}

/**
 * Makes an authority and certificates with openssl.
 * @param names of the files, each with the `subjectAltName` of its certificate, such as `IP:127.0.0.1`
 */
export const makeCertificates = async <Name extends string>(
  directory: string,
  names: Readonly<Record<Name, string>>,
): Promise<TestCertificates<Name>> => {
  const file = (name: string) => join(directory, name)
  const openssl = (...args: readonly string[]) => execa('openssl', args, { cwd: directory })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  // It expires after the others, even if the next call of openssl is in another second.
  await openssl(
    ...['req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '3'],
    ...['-subj', '/CN=offstream tests'],
  )
  const of: Partial<Record<Name, TestCertificate>> = {}
  for (const name of Object.keys(names) as Name[]) {
    await writeFile(file(`${name}.ext`), `subjectAltName=${names[name]}\n`)
    await openssl('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    await openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    )
    of[name] = { certFile: file(`${name}.pem`), keyFile: file(`${name}.key`) }
  }
  return { caFile: file('ca.pem'), of: of as Record<Name, TestCertificate> }
}
