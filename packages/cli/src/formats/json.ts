import { type Batch, type Column, isNested, type Value } from '@offstream/pipeline'
import { type RowFormat, textOf, uniqueNames } from './rows.ts'

/** One object a line. */
export const ndjson: RowFormat = async function* (batches) {
  for await (const batch of batches) {
    const objects = objectsOf(batch)
    if (objects.length > 0) yield `${objects.join('\n')}\n`
  }
}

/** An array of objects on one line. */
export const json: RowFormat = async function* (batches) {
  yield* array(batches, () => '[')
  yield ']\n'
}

/** One object with the columns and the rows. */
export const jsonObject: RowFormat = async function* (batches) {
  yield* array(batches, columns => {
    const described = columns.map(({ name, type }) => ({ name, type }))
    return `{"version":1,"columns":${escaped(JSON.stringify(described))},"rows":[`
  })
  yield ']}\n'
}

async function* array(
  batches: AsyncIterable<Batch>,
  head: (columns: readonly Column[]) => string,
): AsyncGenerator<string, void, undefined> {
  let separator: string | null = null
  for await (const batch of batches) {
    const objects = objectsOf(batch)
    yield `${separator ?? head(batch.columns)}${objects.join(',')}`
    separator = objects.length === 0 ? '' : ','
  }
}

const objectsOf = ({ columns, values, rowCount }: Batch): string[] => {
  const members = uniqueNames(columns).map(
    (name, index) => `${index === 0 ? '' : ','}${JSON.stringify(name)}:`,
  )
  const texts = columns.map(jsonOf)
  return Array.from({ length: rowCount }, (_, row) => {
    let text = '{'
    for (let column = 0; column < texts.length; column++)
      text += `${members[column]}${texts[column]?.(values[column]?.[row] ?? null)}`
    return escaped(`${text}}`)
  })
}

/** The values of a column as JSON. */
const jsonOf = (column: Column): ((value: Value) => string) => {
  if (isNested(column)) return value => (isJson(value) ? value : JSON.stringify(value))
  const text = textOf(column)
  return value => {
    // JSON cannot represent NaN and infinity as numbers.
    if (typeof value === 'number') return Number.isFinite(value) ? String(value) : `"${value}"`
    return typeof value === 'string' ? JSON.stringify(text(value)) : String(value)
  }
}

/** Values of a server that cannot write JSON are in Spark's own format. */
const isJson = (value: Value): value is string => {
  if (typeof value !== 'string') return false
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}

/** `JSON.stringify` does not escape DEL and C1, which a terminal interprets. */
const escaped = (json: string): string =>
  json.replace(/[\u007f-\u009f]/g, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)
