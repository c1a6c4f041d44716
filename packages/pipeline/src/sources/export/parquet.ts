import { messageOf, OffstreamError } from '@offstream/runtime'
import type { AsyncBuffer } from 'hyparquet'
import { PipelineError } from '../../errors.ts'
import { columnsOf, productIn } from './columns.ts'
import type { Entry } from './entry.ts'
import type { Input } from './input.ts'
import { largeGroupParts, type Part, wholeGroup } from './parquetParts.ts'
import { pruned } from './parquetSchema.ts'
import { apiValue, codeProblem, Texts } from './parquetValues.ts'

/** A larger row group is read in parts. The official export has 1,024 rows in a group. */
const maxGroupRows = 8_192

/**
 * The products of a Parquet file, in batches. The columns of the record are read row group by row group, and a large group in
 * parts.
 *
 * @throws OffstreamError FORMAT_UNKNOWN without a column `code`, FILE_TRUNCATED, FILE_DAMAGED
 */
export async function* parquetEntries(input: Input): AsyncGenerator<readonly Entry[]> {
  // Loaded only when needed: the decompressors alone take 100 ms.
  const [hyparquet, { compressors }] = await Promise.all([
    import('hyparquet'),
    import('hyparquet-compressors'),
  ])
  const file: AsyncBuffer = await input.parts()
  const metadata = pruned(
    await hyparquet.parquetMetadataAsync(file).catch((error: unknown) => {
      throw truncated(input.name, error)
    }),
  )
  const schema = hyparquet.parquetSchema(metadata).children
  const columns = columnsOf(schema.map(({ element }) => element.name))
  const code = columns.find(({ field }) => field === 'code')
  if (code === undefined) throw noCode(input.name)
  const texts = new Texts()
  const names = columns.map(({ index }) => schema[index]?.element.name ?? '')
  const reading = {
    ...{ hyparquet, file, metadata, schema, compressors, columns: names },
    parsers: { stringFromBytes: texts.decode },
  }
  const problemOf = codeProblem(schema[code.index]?.element)

  /** The entries of a part whose first row is `start`. */
  const entriesOf = (part: Part, start: number): readonly Entry[] =>
    Array.from({ length: part.rows }, (_, at): Entry => {
      const place = start + at + 1
      const values: unknown[] = []
      for (const [column, { index, field }] of columns.entries())
        values[index] = apiValue(field, part.value(column, at))
      if (texts.hasInvalid(values))
        return { place, skippedBy: 'invalid-utf8', reason: 'it is not valid UTF-8' }
      return { place, ...(problemOf(values[code.index]) ?? productIn(columns, index => values[index])) }
    })

  let row = 0
  try {
    for (const [group, { num_rows }] of metadata.row_groups.entries()) {
      const range = { group, rowStart: row, rowEnd: row + Number(num_rows) }
      const parts = num_rows > maxGroupRows ? largeGroupParts(reading, range) : wholeGroup(reading, range)
      for await (const part of parts) {
        const entries = entriesOf(part, row)
        row += part.rows
        yield entries
      }
    }
  } catch (error) {
    throw error instanceof OffstreamError ? error : damaged(input.name, row, error)
  }
}

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
