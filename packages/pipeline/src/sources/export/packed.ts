import type { ReadResult } from '../reader.ts'

/** Results on their way from one thread to another. */
export interface Packed {
  /** The records as JSON, one after the other, in a piece of memory that can be given away. */
  readonly records: Uint8Array<ArrayBuffer>
  /** All else, as JSON: to clone these objects for another thread takes several times as long as writing them. */
  readonly results: string
}

type Product = Extract<ReadResult, { kind: 'product' }>

interface PackedProduct extends Omit<Product, 'product'>, Pick<Product['product'], 'code'> {
  /** Where its record ends in `records`; it begins where the one before ends. */
  readonly end: number
}

type PackedResult = PackedProduct | Exclude<ReadResult, Product>

export const packed = (results: readonly (ReadResult | null)[]): Packed => {
  const records = new Records()
  const told = results.map((result): PackedResult | null => {
    if (result?.kind !== 'product') return result
    const { kind, address, product } = result
    return { kind, address, code: product.code, end: records.add(product.json) }
  })
  return { records: records.taken(), results: JSON.stringify(told) }
}

export const unpacked = ({ records, results }: Packed): (ReadResult | null)[] => {
  const all = Buffer.from(records.buffer, records.byteOffset, records.byteLength)
  let from = 0
  return (JSON.parse(results) as (PackedResult | null)[]).map(result => {
    if (result === null || !('end' in result)) return result
    const { kind, address, code, end } = result
    const json = all.subarray(from, end)
    from = end
    return { kind, address, product: { code, json } }
  })
}

/** Memory that grows with what is written to it. */
class Records {
  private bytes = Buffer.allocUnsafeSlow(defaultBytes)
  private length = 0

  /** @returns where it ends */
  readonly add = (json: string | Buffer): number => {
    // A code unit of a text is three bytes at most.
    const most = this.length + json.length * 3
    if (most > this.bytes.length) this.grow(most)
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

/** What comes of a chunk of short lines; of long ones it is a tenth. */
const defaultBytes = 64 * 1024
