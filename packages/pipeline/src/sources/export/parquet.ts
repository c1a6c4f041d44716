import { messageOf, OffstreamError } from '@offstream/runtime'
import type { AsyncBuffer, FileMetaData, RowGroup } from 'hyparquet'
import { PipelineError } from '../../errors.ts'
import { apiFields } from '../../product/fields.ts'
import type { JsonObject } from '../../product/json.ts'
import type { Entry } from './entry.ts'
import type { Input } from './input.ts'

/** The official export has 1,024 rows in a row group. Larger groups are read in batches of this size. */
const batchSize = 2_048

/**
 * The products of a Parquet file, in batches. The columns of the record are read row group by row group, so that one
 * group is in memory at a time.
 *
 * @throws OffstreamError FORMAT_UNKNOWN without a column `code`, FILE_TRUNCATED, FILE_DAMAGED
 */
export async function* parquetEntries(input: Input): AsyncGenerator<readonly Entry[]> {
  // Loaded only when needed: the decompressors alone take 100 ms.
  const [{ parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ])
  const file: AsyncBuffer = await input.parts()
  const metadata = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw truncated(input.name, error)
  })
  const columns = parquetSchema(metadata)
    .children.map(({ element }) => element.name)
    .filter(name => Object.hasOwn(apiFields, name))
  if (!columns.includes('code')) throw noCode(input.name)
  for (const [rowStart, rowEnd] of slices(metadata, columns)) {
    const rows: readonly JsonObject[] = await parquetReadObjects({
      ...{ file, metadata, compressors, columns, rowStart, rowEnd },
      useOffsetIndex: true,
    }).catch((error: unknown) => {
      throw error instanceof OffstreamError ? error : damaged(input.name, rowStart, error)
    })
    yield rows.map((row, index) => ({ place: rowStart + index + 1, value: row }))
  }
}

type Rows = readonly [rowStart: number, rowEnd: number]

const slices = ({ row_groups }: FileMetaData, columns: readonly string[]): readonly Rows[] => {
  let first = 0
  return row_groups.flatMap(group => {
    const [start, end] = [first, first + Number(group.num_rows)]
    first = end
    const rows = hasPageIndex(group, columns) ? batchSize : end - start
    return Array.from(
      { length: Math.ceil((end - start) / rows) },
      (_, index) => [start + index * rows, Math.min(start + (index + 1) * rows, end)] as const,
    )
  })
}

/**
 * Whether the columns have an index of their pages. Without it, every batch would decode the whole group again, so the
 * group is read at once.
 */
const hasPageIndex = ({ columns: chunks }: RowGroup, columns: readonly string[]): boolean =>
  chunks
    .filter(({ meta_data }) => columns.includes(meta_data?.path_in_schema[0] ?? ''))
    .every(({ offset_index_length }) => offset_index_length !== undefined)

const truncated = (name: string, cause: unknown) =>
  new PipelineError('FILE_TRUNCATED', `\`${name}\` is truncated: ${messageOf(cause)}`, {
    hint: 'download the file again',
    cause,
  })

const damaged = (name: string, rowStart: number, cause: unknown) =>
  new PipelineError(
    'FILE_DAMAGED',
    `\`${name}\` cannot be read from row ${rowStart + 1}: ${messageOf(cause)}`,
    {
      hint: 'download the file again; the preceding rows were read',
      cause,
    },
  )

const noCode = (name: string) =>
  new PipelineError('FORMAT_UNKNOWN', `\`${name}\` is not an export of products: it has no column \`code\``, {
    hint: 'use the export of products, such as `food.parquet`',
  })
