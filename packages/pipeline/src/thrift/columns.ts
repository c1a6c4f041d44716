/** A column of a result: its name in the query, and its SQL type in lower case, such as `bigint`. */
export interface Column {
  readonly name: string
  readonly type: string
  /** Digits of a decimal, and how many of them follow the point. */
  readonly precision?: number
  readonly scale?: number
}

/** The schema of a result, as the server describes it. */
export interface ThriftSchema {
  readonly columns: readonly {
    readonly columnName: string
    readonly position: number
    readonly typeDesc: { readonly types: readonly { readonly primitiveEntry?: PrimitiveEntry | null }[] }
  }[]
}

interface PrimitiveEntry {
  readonly type: number
  /** hive-driver's types say that `qualifiers` is a Map; it is an object. */
  readonly typeQualifiers?: { readonly qualifiers?: object | null } | null
}

/** @param typeIds the numbers of the types by name, such as `BIGINT_TYPE` */
export const columnsOf = (
  schema: ThriftSchema | null,
  typeIds: Readonly<Record<string, number>>,
): Column[] => {
  const names = new Map(
    Object.entries(typeIds).map(([name, id]) => [id, name.replace(/_TYPE$/, '').toLowerCase()]),
  )
  return (schema?.columns ?? [])
    .toSorted((one, other) => one.position - other.position)
    .map(({ columnName, typeDesc }) => {
      const entry = typeDesc.types[0]?.primitiveEntry
      const type = names.get(entry?.type ?? -1) ?? 'unknown'
      if (type !== 'decimal') return { name: columnName, type }
      const qualifiers = new Map<string, { readonly i32Value?: number | null }>(
        Object.entries(entry?.typeQualifiers?.qualifiers ?? {}),
      )
      const digits = (name: string) => qualifiers.get(name)?.i32Value ?? 0
      return { name: columnName, type, precision: digits('precision'), scale: digits('scale') }
    })
}

const nestedTypes: ReadonlySet<string> = new Set(['array', 'map', 'struct'])

/** Whether the values of a column are JSON. */
export const isNested = ({ type }: Column): boolean => nestedTypes.has(type)

/**
 * Two statements that return the same result with arrays, maps and structs as JSON, or null if the result has none. Spark
 * writes them almost as JSON, but does not escape a quote in a string. The first statement creates a view of the session,
 * so that the text of the query stays unchanged, even if it ends with a comment.
 */
export const jsonStatements = (
  sql: string,
  columns: readonly Column[],
): readonly [view: string, query: string] | null => {
  if (!columns.some(isNested)) return null
  const names = columns.map((_, index) => `c${index}`)
  const values = columns.map((column, index) =>
    isNested(column) ? `to_json(c${index}, map('ignoreNullFields', 'false')) AS c${index}` : `c${index}`,
  )
  return [
    `CREATE OR REPLACE TEMPORARY VIEW offstream_result (${names.join(', ')}) AS\n${sql}`,
    `SELECT ${values.join(', ')} FROM offstream_result`,
  ]
}
