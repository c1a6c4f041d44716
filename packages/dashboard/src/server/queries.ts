import { type QueryResult, query, type ThriftAddress } from '@offstream/pipeline'
import type { Row } from '../wire.ts'
import { Once } from './once.ts'

/** Long enough for the slowest query of a view on a large table. */
const timeoutMs = 60_000

/** Queries of all viewers: one at a time, so that they leave the CPU to the stream, and once per version. */
export class Queries {
  readonly #address: () => Promise<ThriftAddress>
  readonly #once: Once

  /** @param version that of the tables */
  constructor(address: () => Promise<ThriftAddress>, version: () => number) {
    this.#address = address
    this.#once = new Once(version)
  }

  /** The result of an SQL statement on the current version of the tables. */
  run(sql: string): Promise<QueryResult> {
    return this.read(sql, address => query(address, sql, { timeoutMs }))
  }

  /** Another read of the tables; `name` distinguishes it. */
  read<T>(name: string, work: (address: ThriftAddress) => Promise<T>): Promise<T> {
    return this.#once.get(name, async () => work(await this.#address()))
  }

  /** The rows of a statement, by the names of the columns. */
  async rows(sql: string): Promise<Row[]> {
    const { columns, rows } = await this.run(sql)
    return rows.map(row => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null])))
  }
}

/** A text as a literal of Spark SQL. */
export const sqlText = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
