import type { QueryResult } from '@offstream/pipeline'

/** Runs a query for names, in a separate session. */
export type QueryNames = (sql: string) => Promise<QueryResult>

/** What can follow the text before the cursor, and the part of the text that each replaces, as readline expects. */
export type Completion = [candidates: string[], typed: string]

const keywords = `
ALTER AND AS ASC BETWEEN BY CASE CAST COUNT CREATE CROSS DELETE DESC DESCRIBE DISTINCT DROP ELSE END EXISTS EXPLAIN FALSE
FROM FULL FUNCTIONS GROUP HAVING IN INNER INSERT INTO IS JOIN LATERAL LEFT LIKE LIMIT MATCHED MERGE NAMESPACES NOT NULL ON OR
ORDER OUTER OVER PARTITION RIGHT SELECT SET SHOW TABLE TABLES TEMPORARY THEN TRUE UNION UPDATE USE USING VALUES VIEW VIEWS
WHEN WHERE WITH`
  .trim()
  .split(/\s+/)

/** Completes SQL: keywords, tables, and the columns of the views and of the tables that the statement names. */
export class SqlWords {
  readonly #query: QueryNames
  #tables: Promise<readonly string[]> | null = null
  readonly #columns = new Map<string, Promise<readonly string[]>>()

  constructor(query: QueryNames) {
    this.#query = query
  }

  /** To be called after a statement that may have created or dropped something: names are read again when needed. */
  forget(): void {
    this.#tables = null
    this.#columns.clear()
  }

  /** @param before the text of the statement up to the cursor */
  async complete(before: string): Promise<Completion> {
    const typed = /[\w.`]*$/.exec(before)?.[0] ?? ''
    const tables = await this.#namesOfTables()
    const mentioned = tables.filter(table => !table.includes('.') || before.includes(table))
    const columns = (await Promise.all(mentioned.map(table => this.#columnsOf(table)))).flat()
    const keywordsAsTyped =
      typed === typed.toLowerCase() && typed !== '' ? keywords.map(word => word.toLowerCase()) : keywords
    const whole = matches([...tables, ...columns, ...keywordsAsTyped], typed)
    if (whole.length > 0 || !typed.includes('.')) return [whole, typed]
    // The name of a table or an alias is before the dot.
    const column = typed.slice(typed.lastIndexOf('.') + 1)
    return [matches(columns, column), column]
  }

  #namesOfTables(): Promise<readonly string[]> {
    this.#tables ??= this.#readTables().catch(() => {
      // Not for later: a server that is busy now may respond to the next Tab.
      this.#tables = null
      return []
    })
    return this.#tables
  }

  async #readTables(): Promise<string[]> {
    const views = await this.#tablesIn('default')
    const { rows } = await this.#query('SHOW NAMESPACES IN lake')
    const namespaces = rows.map(([name]) => `lake.${name}`)
    const inLake = namespaces.map(async one => (await this.#tablesIn(one)).map(name => `${one}.${name}`))
    return [...views, ...(await Promise.all(inLake)).flat()]
  }

  async #tablesIn(namespace: string): Promise<string[]> {
    const { columns, rows } = await this.#query(`SHOW TABLES IN ${namespace}`)
    const at = columns.findIndex(({ name }) => name === 'tableName')
    return rows.map(row => String(row[at]))
  }

  #columnsOf(table: string): Promise<readonly string[]> {
    const known = this.#columns.get(table)
    if (known !== undefined) return known
    const columns = this.#readColumns(table).catch(() => {
      this.#columns.delete(table)
      return []
    })
    this.#columns.set(table, columns)
    return columns
  }

  async #readColumns(table: string): Promise<string[]> {
    const { rows } = await this.#query(`DESCRIBE ${table}`)
    // The partitioning follows after an empty line.
    const end = rows.findIndex(([name]) => !/^\w/.test(String(name)))
    return rows.slice(0, end === -1 ? rows.length : end).map(([name]) => String(name))
  }
}

/** SQL does not distinguish upper and lower case, readline does: the typed part stays as it is. */
const matches = (candidates: readonly string[], typed: string): string[] => [
  ...new Set(
    candidates
      .filter(one => one.toLowerCase().startsWith(typed.toLowerCase()))
      .map(one => `${typed}${one.slice(typed.length)}`),
  ),
]
