import type { ReadResult } from '../reader.ts'

/** Results in the form that one thread sends to another. */
export interface Packed {
  /** The records as JSON, one after the other, in memory that can be transferred. */
  readonly records: Uint8Array<ArrayBuffer>
  /** Everything else as JSON: cloning these objects for another thread takes several times longer. */
  readonly results: string
}

type Product = Extract<ReadResult, { kind: 'product' }>

interface PackedProduct extends Omit<Product, 'product'>, Pick<Product['product'], 'code'> {
  /** The end of its record in `records`; it starts at the end of the one before. */
  readonly end: number
}

type PackedResult = PackedProduct | Exclude<ReadResult, Product>

/** Packs results for another thread. */
export const packed = (results: readonly (ReadResult | null)[]): Packed => {
  const records = new Records()
  const rest = results.map((result): PackedResult | null => {
    if (result?.kind !== 'product') return result
    const { kind, address, product, missing } = result
    // Member by member: a rest of an object takes several times longer.
    const whole = { kind, address, code: product.code, end: records.add(product.json) }
    return missing === undefined ? whole : { ...whole, missing }
  })
  return { records: records.taken(), results: JSON.stringify(rest) }
}

/** The results that `packed` has packed. */
export const unpacked = ({ records, results }: Packed): (ReadResult | null)[] => {
  const all = Buffer.from(records.buffer, records.byteOffset, records.byteLength)
  let from = 0
  return (JSON.parse(results) as (PackedResult | null)[]).map(result => {
    if (result === null || !('end' in result)) return result
    const { kind, address, code, end, missing } = result
    const json = all.subarray(from, end)
    from = end
    const whole = { kind, address, product: { code, json } }
    return missing === undefined ? whole : { ...whole, missing }
  })
}

/** A growing buffer. */
class Records {
  private bytes = Buffer.allocUnsafeSlow(defaultBytes)
  private length = 0

  /** @returns the end of the record */
  readonly add = (json: string | Buffer): number => {
    // A UTF-16 code unit has at most three bytes in UTF-8.
    const maxLength = this.length + json.length * 3
    if (maxLength > this.bytes.length) this.grow(maxLength)
    this.length +=
      typeof json === 'string' ? this.bytes.write(json, this.length) : json.copy(this.bytes, this.length)
    return this.length
  }

  readonly taken = (): Uint8Array<ArrayBuffer> => new Uint8Array(this.bytes.buffer, 0, this.length)

  private readonly grow = (atLeast: number): void => {
    const larger = Buffer.allocUnsafeSlow(Math.max(atLeast, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }
}

/** Enough for the records of a chunk of short lines; long lines need a tenth. */
const defaultBytes = 64 * 1024
