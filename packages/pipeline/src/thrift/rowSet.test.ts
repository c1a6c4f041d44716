import { expect, test } from 'vitest'
import { fetchedOf } from './rowSet.ts'

/** Thrift's binary protocol, as a server writes it. */
const i8 = (value: number) => Buffer.from([value & 0xff])
const i16 = (value: number) => Buffer.from([value >> 8, value & 0xff])
const i32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const i64 = (value: bigint) => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
const bytes = (value: string | Buffer) => Buffer.concat([i32(Buffer.byteLength(value)), Buffer.from(value)])
const field = (type: number, id: number, value: Buffer) => Buffer.concat([i8(type), i16(id), value])
const struct = (...fields: readonly Buffer[]) => Buffer.concat([...fields, i8(0)])
const list = (type: number, values: readonly Buffer[]) =>
  Buffer.concat([i8(type), i32(values.length), ...values])
const column = (kind: number, type: number, values: readonly Buffer[], nulls: Buffer) =>
  struct(field(12, kind, struct(field(15, 1, list(type, values)), field(11, 2, bytes(nulls)))))

const response = (status: Buffer, columns: readonly Buffer[]) =>
  struct(
    field(
      12,
      0,
      struct(
        field(12, 1, status),
        field(2, 2, i8(0)),
        field(
          12,
          3,
          struct(
            field(10, 1, i64(0n)),
            field(15, 2, list(12, [struct(field(15, 1, list(11, [bytes('an old row')])))])),
            field(15, 3, list(12, columns)),
          ),
        ),
      ),
    ),
  )

const ok = struct(field(8, 1, i32(0)))

test('every kind of column is read, and the values of null cells become null', () => {
  const columns = [
    column(1, 2, [i8(1), i8(0), i8(1)], Buffer.from([0b100])),
    column(2, 3, [i8(-128), i8(127), i8(0)], Buffer.from([0b100])),
    column(3, 6, [i16(-2), i16(2), i16(0)], Buffer.from([0b100])),
    column(4, 8, [i32(-3), i32(3), i32(0)], Buffer.from([0b100])),
    column(5, 10, [i64(-(2n ** 53n) + 1n), i64(2n ** 63n - 1n), i64(0n)], Buffer.from([0b100])),
    column(7, 11, [bytes('é'), bytes(''), bytes('')], Buffer.from([0b100])),
    column(8, 11, [bytes(Buffer.from([255, 0])), bytes(''), bytes('')], Buffer.from([0b100])),
    column(7, 11, [bytes('no'), bytes('nulls'), bytes('')], Buffer.alloc(0)),
  ]
  const before = Buffer.from('the head of the message')
  const message = Buffer.concat([before, response(ok, columns)])
  expect(fetchedOf(message, before.length)).toEqual({
    statusCode: 0,
    errorMessage: null,
    byteLength: message.length,
    columns: [
      [true, false, null],
      [-128, 127, null],
      [-2, 2, null],
      [-3, 3, null],
      [-9_007_199_254_740_991, '9223372036854775807', null],
      ['é', '', null],
      ['/wA=', '', null],
      ['no', 'nulls', ''],
    ],
  })
})

test('an error has the message of the server', () => {
  const failed = struct(
    field(8, 1, i32(3)),
    field(15, 2, list(11, [bytes('a stack')])),
    field(11, 3, bytes('42000')),
    field(11, 5, bytes('no such table')),
  )
  expect(fetchedOf(response(failed, []), 0)).toMatchObject({ statusCode: 3, errorMessage: 'no such table' })
})

test('a damaged message is an error', () => {
  const whole = response(ok, [column(4, 8, [i32(1)], Buffer.alloc(0))])
  expect(() => fetchedOf(whole.subarray(0, whole.length - 9), 0)).toThrow()
})
