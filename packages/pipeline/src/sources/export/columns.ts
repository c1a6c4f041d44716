import { apiFields } from '../../product/fields.ts'
import { nutrients } from '../../product/nutriments.ts'
import type { Skip } from '../../product/skip.ts'
import { isNested, nestedValue } from './nestedText.ts'

/** A column of a CSV or Parquet file that is read. */
export interface Column {
  readonly index: number
  /** The field of the API with its values. */
  readonly field: string
  /** Whether the API has the field in `nutriments`. */
  readonly isNutrient: boolean
}

const nutrientFields: ReadonlySet<string> = new Set(nutrients.map(name => `${name}_100g`))
const fields: ReadonlySet<string> = new Set(Object.keys(apiFields))

/** The field of the API that a column contains. Its name may be in any case and contain spaces. */
export const fieldOf = (column: string): string =>
  column
    .replace(/^\ufeff/, '')
    .trim()
    .toLowerCase()

/** The columns that are read. Of two with the same field, the first. */
export const columnsOf = (names: readonly string[]): readonly Column[] => {
  const all = names.map(fieldOf)
  return all.flatMap((field, index) => {
    const isNutrient = nutrientFields.has(field)
    return (isNutrient || fields.has(field)) && all.indexOf(field) === index
      ? [{ index, field, isNutrient }]
      : []
  })
}

/** The product in a row, in the form of the API. */
export const productIn = (
  columns: readonly Column[],
  read: (index: number) => unknown,
): { readonly value: Readonly<Record<string, unknown>> } | Skip => {
  const nutriments: Record<string, unknown> = {}
  // In a file without columns of nutrients, the nutriments are unknown, not empty.
  const product: Record<string, unknown> = columns.some(({ isNutrient }) => isNutrient) ? { nutriments } : {}
  for (const { index, field, isNutrient } of columns) {
    const value = read(index)
    if (typeof value === 'string' && isNested(field, value)) {
      const nested = nestedValue(value)
      if (nested === undefined)
        return { skippedBy: 'invalid-row', reason: `its \`${field}\` is a list in an unknown format` }
      product[field] = nested
    } else if (isNutrient) nutriments[field] = value
    else product[field] = value
  }
  return { value: product }
}
