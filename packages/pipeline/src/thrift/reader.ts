/** The types of Thrift's binary protocol that the responses of a HiveServer2 contain. */
const wire = { stop: 0, bool: 2, i8: 3, double: 4, i16: 6, i32: 8, i64: 10, text: 11, struct: 12, list: 15 }

/** Reads Thrift's binary protocol from the bytes of one message. */
export class ThriftReader {
  readonly #bytes: Buffer
  #position: number

  constructor(bytes: Buffer, position = 0) {
    this.#bytes = bytes
    this.#position = position
  }

  /** Reads a struct: `read` reads the value of the field `id`, or returns false, and the value is skipped. */
  struct(read: (id: number) => unknown): void {
    for (;;) {
      const type = this.i8()
      if (type === wire.stop) return
      if (read(this.i16()) === false) this.#skip(type)
    }
  }

  list<T>(read: () => T): T[] {
    const { length } = this.#listHead()
    const values: T[] = new Array(length)
    for (let index = 0; index < length; index++) values[index] = read()
    return values
  }

  bool(): boolean {
    return this.i8() !== 0
  }

  i8(): number {
    return this.#bytes.readInt8(this.#move(1))
  }

  i16(): number {
    return this.#bytes.readInt16BE(this.#move(2))
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#move(4))
  }

  /** A number, or text if a number would be inexact. */
  i64(): number | string {
    const start = this.#move(8)
    const whole = this.#bytes.readInt32BE(start) * 2 ** 32 + this.#bytes.readUInt32BE(start + 4)
    return Number.isSafeInteger(whole) ? whole : this.#bytes.readBigInt64BE(start).toString()
  }

  double(): number {
    return this.#bytes.readDoubleBE(this.#move(8))
  }

  text(): string {
    const length = this.i32()
    const start = this.#move(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  /** A view of the message, not a copy. */
  binary(): Buffer {
    const length = this.i32()
    const start = this.#move(length)
    return this.#bytes.subarray(start, start + length)
  }

  #move(length: number): number {
    const start = this.#position
    this.#position = start + length
    return start
  }

  #listHead(): { readonly type: number; readonly length: number } {
    return { type: this.i8(), length: this.i32() }
  }

  #skip(type: number): void {
    const width = widths[type]
    if (width !== undefined) this.#move(width)
    else if (type === wire.text) this.#move(this.i32())
    else if (type === wire.struct) this.struct(() => false)
    else if (type === wire.list) {
      const { type: element, length } = this.#listHead()
      for (let index = 0; index < length; index++) this.#skip(element)
    } else throw new Error(`the Thrift server sent a value of the unknown type ${type}`)
  }
}

const widths: Readonly<Record<number, number>> = {
  [wire.bool]: 1,
  [wire.i8]: 1,
  [wire.i16]: 2,
  [wire.i32]: 4,
  [wire.i64]: 8,
  [wire.double]: 8,
}
