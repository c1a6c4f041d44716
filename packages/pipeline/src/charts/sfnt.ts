import { inflateSync } from 'node:zlib'

const woffHeader = 44
const woffEntry = 20
const sfntHeader = 12
const sfntEntry = 16

/**
 * A WOFF 1.0 font as a TrueType font: the same tables, decompressed. Font packages contain only WOFF, and the PNG renderer
 * reads only TrueType.
 */
export const sfntOf = (woff: Buffer): Buffer => {
  const count = woff.readUInt16BE(12)
  const head = Buffer.alloc(sfntHeader + sfntEntry * count)
  woff.copy(head, 0, 4, 8)
  const power = Math.floor(Math.log2(count))
  const searchRange = sfntEntry * 2 ** power
  for (const [at, value] of [count, searchRange, power, sfntEntry * count - searchRange].entries())
    head.writeUInt16BE(value, 4 + 2 * at)
  let offset = head.length
  const tables = Array.from({ length: count }, (_, at) => {
    const from = woffHeader + woffEntry * at
    const to = sfntHeader + sfntEntry * at
    const table = tableOf(woff, from)
    // Tag and checksum, then the place of the table.
    woff.copy(head, to, from, from + 4)
    woff.copy(head, to + 4, from + 16, from + 20)
    head.writeUInt32BE(offset, to + 8)
    head.writeUInt32BE(table.length, to + 12)
    const padding = Buffer.alloc((4 - (table.length % 4)) % 4)
    offset += table.length + padding.length
    return Buffer.concat([table, padding])
  })
  return Buffer.concat([head, ...tables])
}

const tableOf = (woff: Buffer, entry: number): Buffer => {
  const [offset, packed, length] = [4, 8, 12].map(at => woff.readUInt32BE(entry + at))
  const bytes = woff.subarray(offset, (offset ?? 0) + (packed ?? 0))
  return packed === length ? bytes : inflateSync(bytes)
}
