import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime'
import { parseJson } from '../product/parseJson.ts'
import type { Skip } from '../product/skip.ts'

/**
 * The JSON in the bytes of a key or value: plain, or after the header of a schema registry (JSON Schema). Avro and
 * Protobuf cannot be read, because their schema is in the registry.
 */
export const readJson = (bytes: Buffer): { readonly json: unknown } | Skip => {
  const header = headers.find(({ magic }) => bytes[0] === magic)
  if (header === undefined) return parsedText(bytes)
  for (const length of header.lengths) {
    const read = startsJson(bytes, length) ? parsedText(bytes.subarray(length)) : null
    if (read !== null && 'json' in read) return read
  }
  const schema = bytes.length >= 5 && header.magic === 0 ? ` (schema ${bytes.readUInt32BE(1)})` : ''
  return {
    skippedBy: 'binary-message',
    reason: `it has the header of ${header.of}${schema}, and is not JSON but probably Avro or Protobuf`,
  }
}

/** The headers that schema registries put before a message. JSON never starts with these bytes. */
const headers = [
  /** A zero and the schema's number: 4 bytes at Confluent and in Apicurio 3, 8 in Apicurio 2. */
  { magic: 0, lengths: [5, 9], of: 'a schema registry' },
  /** AWS Glue: version 3, compression (0: none), UUID of 16 bytes. */
  { magic: 3, lengths: [18], of: 'AWS Glue’s schema registry' },
] as const

/** Whether an object, a list or a text starts there. A number could be bytes of a binary header. */
const startsJson = (bytes: Buffer, from: number): boolean =>
  /^[\s]*[{["]/.test(bytes.toString('latin1', from, from + 16))

const parsedText = (bytes: Buffer): { readonly json: unknown } | Skip => {
  if (!isUtf8(bytes)) return { skippedBy: 'invalid-utf8', reason: 'it is not valid UTF-8' }
  try {
    return { json: parseJson(bytes.toString('utf8').replace(/^\ufeff/, '')) }
  } catch (error) {
    return { skippedBy: 'invalid-json', reason: `it is not valid JSON: ${messageOf(error)}` }
  }
}
