import { setFlagsFromString } from 'node:v8'
import type { AsyncBuffer, Compressors, FileMetaData, ParquetParsers, SchemaTree } from 'hyparquet'
import { checkedFile, type PageLocation, pageLocations } from './parquetPages.ts'

/** Some consecutive rows. */
export interface Part {
  readonly rows: number
  /** The value of one of the columns that are read, in a row of the part. */
  readonly value: (column: number, row: number) => unknown
}

/** The file, and how its values are decoded. */
interface Reading {
  readonly hyparquet: Pick<
    typeof import('hyparquet'),
    'parquetReadObjects' | 'parquetScan' | 'readOffsetIndex'
  >
  readonly file: AsyncBuffer
  readonly metadata: FileMetaData
  readonly schema: readonly SchemaTree[]
  /** The names of the columns that are read. */
  readonly columns: string[]
  readonly compressors: Compressors
  readonly parsers: Partial<ParquetParsers>
}

/** The rows of a row group, by their numbers in the file. */
interface GroupRange {
  readonly group: number
  readonly rowStart: number
  readonly rowEnd: number
}

/** How many rows of a large group are passed on at once. */
const partRows = 1_024
/** Maximum number of rows of a list column to decode at a time, because a page can have hundreds of thousands. */
const maxListRows = 4_096

/** All rows of a group. */
export async function* wholeGroup(
  { hyparquet, columns, ...options }: Reading,
  { group, rowStart, rowEnd }: GroupRange,
): AsyncGenerator<Part> {
  const file = checkedFile(options.file, options.metadata.row_groups[group])
  const rows = await hyparquet.parquetReadObjects({ ...options, file, columns, rowStart, rowEnd })
  yield { rows: rows.length, value: (column, row) => rows[row]?.[columns[column] ?? ''] }
}

/** The rows of a large group in parts. Of each column about one page is in memory. */
export async function* largeGroupParts(reading: Reading, range: GroupRange): AsyncGenerator<Part> {
  // Most memory that decoding allocates becomes garbage at once. By default, the heap would first grow to a multiple
  // of the values.
  setFlagsFromString('--heap-growing-percent=20')
  try {
    const columns = await segmentedColumns(reading, range)
    for (let start = range.rowStart; start < range.rowEnd; start += partRows) {
      const end = Math.min(start + partRows, range.rowEnd)
      const parts: Values[] = []
      // One after the other, because decoding a page takes a multiple of its memory.
      for (const column of columns) parts.push(await column.read(start, end))
      yield { rows: end - start, value: (column, row) => parts[column]?.[row] }
    }
  } finally {
    // The default of V8: it chooses the percentage itself.
    setFlagsFromString('--heap-growing-percent=0')
  }
}

const segmentedColumns = async (
  { hyparquet, schema, ...options }: Reading,
  { group, rowStart, rowEnd }: GroupRange,
): Promise<readonly SegmentedColumn[]> => {
  const { file, metadata, columns, compressors } = options
  const locations: Record<string, readonly PageLocation[]> = {}
  const boundaries = new Map<string, readonly number[]>()
  for (const chunk of metadata.row_groups[group]?.columns ?? []) {
    const { meta_data, offset_index_offset: at, offset_index_length: length } = chunk
    const [name = ''] = meta_data?.path_in_schema ?? []
    if (meta_data === undefined || !columns.includes(name)) continue
    const pages =
      at === undefined || length === undefined
        ? await pageLocations(file, meta_data, pathOf(schema, meta_data.path_in_schema), compressors)
        : hyparquet.readOffsetIndex({
            view: new DataView(await file.slice(Number(at), Number(at) + length)),
            offset: 0,
          }).page_locations
    locations[meta_data.path_in_schema.join('.')] = pages
    const starts = pages.map(page => rowStart + Number(page.first_row_index))
    // The member of a list with the most pages determines the parts.
    if (starts.length > (boundaries.get(name)?.length ?? 0)) boundaries.set(name, starts)
  }
  // Not a documented option: the locations that hyparquet itself reads from an offset index.
  const pageLocationsByGroup = Object.assign([], { [group]: locations })
  const checked = { file: checkedFile(file, metadata.row_groups[group]), pageLocationsByGroup }
  const scan = await hyparquet.parquetScan(Object.assign(options, checked, { rowStart, rowEnd }))
  return columns.map(column => {
    const isList = schema.some(({ element, children }) => element.name === column && children.length > 0)
    const read = (start: number, end: number) => scan.readColumn({ column, rowStart: start, rowEnd: end })
    return new SegmentedColumn(
      read,
      [...(boundaries.get(column) ?? []), rowEnd],
      isList ? maxListRows : rowEnd,
    )
  })
}

const pathOf = (schema: readonly SchemaTree[], path: readonly string[]): readonly SchemaTree[] => {
  const [name, ...rest] = path
  const found = schema.find(({ element }) => element.name === name)
  return found === undefined ? [] : [found, ...pathOf(found.children, rest)]
}

type Values = ArrayLike<unknown>

/** A column that is read page by page. A page is decoded once, although it has the rows of many parts. */
class SegmentedColumn {
  private readonly decode: (start: number, end: number) => Promise<Values>
  /** The first rows of its pages, then the end of the group. */
  private readonly boundaries: readonly number[]
  private readonly maxRows: number
  private next = 0
  private segment: { readonly start: number; readonly end: number; readonly values: Values } = {
    ...{ start: 0, end: 0, values: [] },
  }

  constructor(
    decode: (start: number, end: number) => Promise<Values>,
    boundaries: readonly number[],
    maxRows: number,
  ) {
    this.decode = decode
    this.boundaries = boundaries
    this.maxRows = maxRows
  }

  /** The values from `start` to `end`, which must follow those read before. */
  readonly read = async (start: number, end: number): Promise<Values> => {
    const values: unknown[] = []
    for (let at = start; at < end; ) {
      if (at >= this.segment.end) this.segment = await this.segmentAt(at)
      const { start: first, end: last, values: decoded } = this.segment
      for (const stop = Math.min(end, last); at < stop; at += 1) values.push(decoded[at - first])
    }
    return values
  }

  private readonly segmentAt = async (start: number) => {
    while ((this.boundaries[this.next] ?? Number.POSITIVE_INFINITY) <= start) this.next += 1
    const end = Math.min(this.boundaries[this.next] ?? start + 1, start + this.maxRows)
    return { start, end, values: await this.decode(start, end) }
  }
}
