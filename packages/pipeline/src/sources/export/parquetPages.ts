import type { AsyncBuffer, ColumnMetaData, Compressors, RowGroup, SchemaTree } from 'hyparquet'

/** Consecutive pages of a column that start with a new row, in the form of an offset index. */
export interface PageLocation {
  readonly offset: bigint
  readonly compressed_page_size: number
  readonly first_row_index: bigint
}

/**
 * Where the pages of a column are, and with which row each starts. Most writers store no index of them. It is built from the
 * headers of the pages and, for lists in pages of version 1, from their repetition levels, so that a row group of any size
 * can be read in parts.
 */
export const pageLocations = async (
  file: AsyncBuffer,
  column: ColumnMetaData,
  path: readonly SchemaTree[],
  compressors: Compressors,
): Promise<readonly PageLocation[]> => {
  const locations: { offset: bigint; compressed_page_size: number; first_row_index: bigint }[] = []
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset)
  const end = start + Number(column.total_compressed_size)
  const maxLevel = path.filter(({ element }) => element.repetition_type === 'REPEATED').length
  let row = 0
  for (let at = start; at < end; ) {
    const { header, bytes: headerBytes } = await headerAt(file, at, end)
    const pageEnd = at + headerBytes + header.compressedBytes
    if (header.values !== null) {
      const levels =
        header.rows !== null || maxLevel === 0
          ? { rows: header.rows ?? header.values, startsRow: true }
          : rowsIn(await pageAt(file, at + headerBytes, header, column, compressors), header.values, maxLevel)
      const last = locations.at(-1)
      if (levels.startsRow || last === undefined)
        locations.push({
          offset: BigInt(at),
          compressed_page_size: pageEnd - at,
          first_row_index: BigInt(row),
        })
      // A row can continue in the next page, which cannot be read without this one.
      else last.compressed_page_size = pageEnd - Number(last.offset)
      row += levels.rows
    }
    at = pageEnd
  }
  return locations
}

/**
 * The file, whose pages in a row group are checked before they are decoded. With a damaged header, hyparquet would read for
 * ever, or allocate memory for billions of values.
 */
export const checkedFile = (file: AsyncBuffer, group: RowGroup | undefined): AsyncBuffer => {
  const chunks = (group?.columns ?? []).flatMap(({ meta_data }) =>
    meta_data === undefined ? [] : [boundsOf(meta_data)],
  )
  return {
    byteLength: file.byteLength,
    slice: async (start, end) => {
      const part = await file.slice(start, end)
      const bytes = new Uint8Array(part)
      for (const chunk of chunks) {
        // Every row has at least one value, which can be null.
        if (chunk.values < Number(group?.num_rows)) throw damagedPage(chunk.start)
        const [from, to] = [Math.max(chunk.start - start, 0), Math.min(chunk.end - start, bytes.length)]
        if (from < to) checkPages(bytes.subarray(from, to), chunk, start + from)
      }
      return part
    },
  }
}

interface ChunkBounds {
  readonly start: number
  readonly end: number
  readonly values: number
}

const boundsOf = (column: ColumnMetaData): ChunkBounds => {
  const start = Number(column.dictionary_page_offset ?? column.data_page_offset)
  return { start, end: start + Number(column.total_compressed_size), values: Number(column.num_values) }
}

/** @param position where `bytes` are in the file */
const checkPages = (bytes: Uint8Array, { values }: ChunkBounds, position: number): void => {
  // After the last page, hyparquet ignores one byte.
  for (let at = 0; at < bytes.length - 1; ) {
    const reader = new CompactReader(bytes.subarray(at))
    const header = pageHeader(reader.struct())
    const end = at + reader.at + (header?.compressedBytes ?? 0)
    if (header === null || end > bytes.length || !isPlausible(header, values))
      throw damagedPage(position + at)
    at = end
  }
}

const isPlausible = (header: PageHeader, maxValues: number): boolean => {
  const { values, nulls, rows, dictionary, levelBytes, compressedBytes, uncompressedBytes } = header
  // The values of a dictionary have at least one byte.
  if (dictionary !== null) return dictionary <= uncompressedBytes
  if (values === null) return true
  return values <= maxValues && (rows ?? 0) <= values && nulls <= values && levelBytes <= compressedBytes
}

const damagedPage = (at: number) => new Error(`the header of a page at byte ${at} is damaged`)

interface PageHeader {
  readonly compressedBytes: number
  readonly uncompressedBytes: number
  /** Null for a page without data, such as a dictionary. */
  readonly values: number | null
  /** Null if the header does not contain it. */
  readonly rows: number | null
  readonly nulls: number
  /** The number of values in a dictionary; null for other pages. */
  readonly dictionary: number | null
  /** The bytes of the levels, if they are not compressed. */
  readonly levelBytes: number
}

/** Headers have some dozen bytes; with statistics of long texts, a few kilobytes. */
const headerSizes = [256, 64 * 1024, 16 * 1024 * 1024]

const headerAt = async (
  file: AsyncBuffer,
  at: number,
  end: number,
): Promise<{ readonly header: PageHeader; readonly bytes: number }> => {
  for (const size of headerSizes) {
    const reader = new CompactReader(new Uint8Array(await file.slice(at, Math.min(at + size, end))))
    const header = pageHeader(reader.struct())
    if (reader.isAfterEnd()) continue
    if (header === null) break
    return { header, bytes: reader.at }
  }
  throw damagedPage(at)
}

/**
 * A page header; null if a number is missing.
 * @see https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift (PageHeader)
 */
const pageHeader = (header: Struct): PageHeader | null => {
  const [uncompressedBytes, compressedBytes] = [numberIn(header, 2), numberIn(header, 3)]
  const [page, dictionary, pageV2] = [5, 7, 8].map(field => structOf(header.get(field)))
  const required = [
    ...[uncompressedBytes, compressedBytes],
    ...(page ? [numberIn(page, 1)] : []),
    ...(dictionary ? [numberIn(dictionary, 1)] : []),
    ...(pageV2 ? [1, 2, 3, 5, 6].map(field => numberIn(pageV2, field)) : []),
  ]
  if (required.some(number => number === null || number < 0)) return null
  return {
    ...{ uncompressedBytes: uncompressedBytes ?? 0, compressedBytes: compressedBytes ?? 0 },
    values: numberIn(page ?? pageV2, 1),
    ...{ rows: numberIn(pageV2, 3), nulls: numberIn(pageV2, 2) ?? 0 },
    dictionary: numberIn(dictionary, 1),
    levelBytes: (numberIn(pageV2, 5) ?? 0) + (numberIn(pageV2, 6) ?? 0),
  }
}

const numberIn = (struct: Struct | null | undefined, field: number): number | null => {
  const value = struct?.get(field)
  return typeof value === 'number' ? value : null
}

const pageAt = async (
  file: AsyncBuffer,
  at: number,
  { compressedBytes, uncompressedBytes }: PageHeader,
  { codec }: ColumnMetaData,
  compressors: Compressors,
): Promise<Uint8Array> => {
  const bytes = new Uint8Array(await file.slice(at, at + compressedBytes))
  if (codec === 'UNCOMPRESSED') return bytes
  const decompress = compressors[codec]
  if (decompress === undefined) throw new Error(`the compression ${codec} is not supported`)
  return decompress(bytes, uncompressedBytes)
}

/**
 * How many rows start in a page of version 1, and whether it starts with one: values with the repetition level zero.
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/ (RLE = 3)
 */
const rowsIn = (page: Uint8Array, values: number, maxLevel: number) => {
  const bits = 32 - Math.clz32(maxLevel)
  const reader = new CompactReader(page)
  const end = 4 + new DataView(page.buffer, page.byteOffset, page.byteLength).getUint32(0, true)
  reader.at = 4
  let [rows, seen, startsRow] = [0, 0, true]
  const note = (level: number, count: number) => {
    if (seen === 0) startsRow = level === 0
    if (level === 0) rows += Math.min(count, values - seen)
    seen += count
  }
  while (seen < values && reader.at < end) {
    const header = reader.varint()
    if (header % 2 === 0) {
      note(reader.byte(), header / 2)
      continue
    }
    const packed = reader.at
    const count = ((header - 1) / 2) * 8
    for (let index = 0; index < count && seen < values; index += 1) {
      const bit = index * bits
      const at = packed + (bit >> 3)
      const two = (page[at] ?? 0) | ((page[at + 1] ?? 0) << 8)
      note((two >> (bit & 7)) & ((1 << bits) - 1), 1)
    }
    reader.at = packed + (count * bits) / 8
  }
  return { rows, startsRow }
}

type Struct = ReadonlyMap<number, unknown>

const structOf = (value: unknown): Struct | null => (value instanceof Map ? value : null)

/** Reads the compact protocol of Thrift. After the end of its bytes it reads zeros. */
class CompactReader {
  at = 0
  private readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  readonly isAfterEnd = (): boolean => this.at > this.bytes.length

  readonly byte = (): number => this.bytes[this.at++] ?? 0

  readonly varint = (): number => {
    let value = 0
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
    }
  }

  readonly struct = (): Struct => {
    const fields = new Map<number, unknown>()
    for (let field = 0; ; ) {
      const byte = this.byte()
      const type = byte & 0x0f
      if (type === 0) return fields
      field = byte >> 4 === 0 ? this.zigzag() : field + (byte >> 4)
      fields.set(field, this.value(type))
    }
  }

  private readonly zigzag = (): number => {
    const value = this.varint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  private readonly value = (type: number): unknown => {
    if (type <= 2) return type === 1
    if (type === 3) return this.byte()
    if (type <= 6) return this.zigzag()
    if (type === 12) return this.struct()
    if (type === 9 || type === 10) return this.list()
    // Statistics: their bytes are not read.
    const length = type === 7 ? 8 : this.varint()
    this.at += length
    return null
  }

  private readonly list = (): null => {
    const header = this.byte()
    const count = header >> 4 === 15 ? this.varint() : header >> 4
    for (let index = 0; index < count && !this.isAfterEnd(); index += 1) this.value(header & 0x0f)
    return null
  }
}
