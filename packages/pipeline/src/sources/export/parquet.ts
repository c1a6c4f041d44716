import { messageOf, OffstreamError } from '@offstream/runtime'
import type { AsyncBuffer, FileMetaData, RowGroup } from 'hyparquet'
import { PipelineError } from '../../errors.ts'
import { apiFields } from '../../product/fields.ts'
import { type JsonObject, objectOf } from '../../product/json.ts'
import { nutrients } from '../../product/nutriments.ts'
import type { Entry } from './entry.ts'
import type { Input } from './input.ts'

/** The official export has 1,024 rows in a group; of larger groups this many are made into objects at once. */
const atOnce = 2_048

/**
 * The products of a Parquet file, some at a time. Its columns that the record needs are read row group by row group,
 * so that what is held at a time is one group of them.
 *
 * @throws OffstreamError FORMAT_UNKNOWN where there is no column `code`, FILE_TRUNCATED, FILE_DAMAGED
 */
export async function* parquetEntries(input: Input): AsyncGenerator<readonly Entry[]> {
  // Loaded when needed: the decompressors alone are a tenth of a second.
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
    yield rows.map((row, index) => ({ place: rowStart + index + 1, value: inApiForm(row) }))
  }
}

type Rows = readonly [rowStart: number, rowEnd: number]

const slices = ({ row_groups }: FileMetaData, columns: readonly string[]): readonly Rows[] => {
  let first = 0
  return row_groups.flatMap(group => {
    const [start, end] = [first, first + Number(group.num_rows)]
    first = end
    const rows = canBeReadInParts(group, columns) ? atOnce : end - start
    return Array.from(
      { length: Math.ceil((end - start) / rows) },
      (_, index) => [start + index * rows, Math.min(start + (index + 1) * rows, end)] as const,
    )
  })
}

/**
 * Whether an index tells where the pages of the columns are. Without it each part would take the decoding of the whole
 * group, which then is held once rather than decoded again and again.
 */
const canBeReadInParts = ({ columns: chunks }: RowGroup, columns: readonly string[]): boolean =>
  chunks
    .filter(({ meta_data }) => columns.includes(meta_data?.path_in_schema[0] ?? ''))
    .every(({ offset_index_length }) => offset_index_length !== undefined)

/** Texts are lists of languages in Parquet, and nutriments a list of names with 32-bit numbers. */
const inApiForm = (row: JsonObject): JsonObject => ({
  ...row,
  product_name: mainText(row['product_name'], row['lang']),
  generic_name: mainText(row['generic_name'], row['lang']),
  ingredients_text: mainText(row['ingredients_text'], row['lang']),
  nutriments: nutrimentsIn(row['nutriments']),
})

/** The text in the product's main language, which is listed as `main`, else in its own, else in any. */
const mainText = (value: unknown, lang: unknown): unknown => {
  if (!Array.isArray(value)) return value
  const texts = value.map(objectOf)
  const within = (language: unknown) => texts.find(each => each?.['lang'] === language)
  return (within('main') ?? within(lang) ?? texts[0])?.['text']
}

const wantedNutrients: ReadonlySet<unknown> = new Set(nutrients)

const nutrimentsIn = (value: unknown): unknown => {
  if (!Array.isArray(value)) return value
  const nutriments: Record<string, unknown> = {}
  for (const each of value) {
    const nutrient = objectOf(each)
    const per100g = nutrient?.['100g']
    if (nutrient === null || typeof per100g !== 'number' || !wantedNutrients.has(nutrient['name'])) continue
    nutriments[`${String(nutrient['name'])}_100g`] = asWritten(per100g)
  }
  return nutriments
}

/** The shortest decimal that a 32-bit number stands for: 17.52, not the 17.520000457763672 that it is. */
const asWritten = (float: number): number => {
  for (let digits = 6; digits < 9; digits += 1) {
    const written = Number(float.toPrecision(digits))
    if (Math.fround(written) === float) return written
  }
  return float
}

const truncated = (name: string, cause: unknown) =>
  new PipelineError('FILE_TRUNCATED', `\`${name}\` is not whole: ${messageOf(cause)}`, {
    hint: 'get the file again',
    cause,
  })

const damaged = (name: string, rowStart: number, cause: unknown) =>
  new PipelineError(
    'FILE_DAMAGED',
    `\`${name}\` can't be read from row ${rowStart + 1}: ${messageOf(cause)}`,
    {
      hint: 'get the file again; the rows before were taken',
      cause,
    },
  )

const noCode = (name: string) =>
  new PipelineError('FORMAT_UNKNOWN', `\`${name}\` is no export of products: it has no column \`code\``, {
    hint: 'give the export of products, such as `food.parquet`',
  })
