import { ThriftReader } from './reader.ts'

/**
 * A value of a result. Decimals, dates, timestamps and integers that a JavaScript number cannot represent are text, as
 * the server wrote them.
 */
export type Value = string | number | boolean | null

/** The response to a request for rows. */
export interface Fetched {
  readonly statusCode: number
  readonly errorMessage: string | null
  /** The values of each column. */
  readonly columns: readonly (readonly Value[])[]
  /** The size of the response. */
  readonly byteLength: number
}

/**
 * Reads the response to `FetchResults`. The driver's own reader makes an object of each value, turns a BIGINT above 2^53
 * into Infinity and a DECIMAL into an inexact number.
 * @see TCLIService.thrift for the numbers of the fields
 */
export const fetchedOf = (message: Buffer, position: number): Fetched => {
  const reader = new ThriftReader(message, position)
  let status: Pick<Fetched, 'statusCode' | 'errorMessage'> = { statusCode: -1, errorMessage: null }
  let columns: Value[][] = []
  const readRows = (field: number): unknown => {
    if (field !== 3) return false
    columns = reader.list(() => columnOf(reader))
    return true
  }
  const readResponse = (field: number): unknown => {
    if (field === 1) status = statusOf(reader)
    else if (field === 3) reader.struct(readRows)
    else return false
    return true
  }
  reader.struct(field => field === 0 && reader.struct(readResponse))
  return { ...status, columns, byteLength: message.length }
}

const statusOf = (reader: ThriftReader): Pick<Fetched, 'statusCode' | 'errorMessage'> => {
  let statusCode = -1
  let errorMessage: string | null = null
  reader.struct(field => {
    if (field === 1) statusCode = reader.i32()
    else if (field === 5) errorMessage = reader.text()
    else return false
  })
  return { statusCode, errorMessage }
}

/** How the values of a column are read, by the number of its field in the union `TColumn`. */
const readers: Readonly<Record<number, (reader: ThriftReader) => Value>> = {
  1: reader => reader.bool(),
  2: reader => reader.i8(),
  3: reader => reader.i16(),
  4: reader => reader.i32(),
  5: reader => reader.i64(),
  6: reader => reader.double(),
  7: reader => reader.text(),
  8: reader => reader.binary().toString('base64'),
}

const columnOf = (reader: ThriftReader): Value[] => {
  let values: Value[] = []
  reader.struct(kind => {
    const read = readers[kind]
    if (read === undefined) return false
    reader.struct(field => {
      if (field === 1) values = reader.list(() => read(reader))
      else if (field === 2) insertNulls(values, reader.binary())
      else return false
    })
  })
  return values
}

/** @param nulls a bit set, lowest bit first. Missing bytes mean "not null". */
const insertNulls = (values: Value[], nulls: Buffer): void => {
  for (const [index, bits] of nulls.entries())
    for (let bit = 0; bits >> bit !== 0; bit++) {
      const row = index * 8 + bit
      if (((bits >> bit) & 1) === 1 && row < values.length) values[row] = null
    }
}
