import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { replaceFile } from '@offstream/runtime'

/** Writes a file that only this user can read. */
export const writePrivateFile = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  // In one step: clients of running jobs may read the file now.
  await replaceFile(file, text)
}

/** A property file of Java. */
export const propertiesText = (values: Readonly<Record<string, string>>): string =>
  Object.entries(values)
    .map(([name, value]) => `${name}=${propertyText(value)}\n`)
    .join('')

/** Java reads property files as ISO 8859-1, and a backslash starts an escape sequence. */
export const propertyText = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replaceAll('\r', '')
    .replaceAll('\n', '\\n')
    .replace(/^ /, '\\ ')
    .replace(/[^ -~]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
