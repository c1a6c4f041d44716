import { expect, test } from 'vitest'
import { csv } from './csv.ts'
import { batchOf, formatted, resultOf } from './testRows.ts'

const csvOf = (...result: Parameters<typeof resultOf>): Promise<string> => formatted(csv, resultOf(...result))

test('every row of a query is a CSV record, even if its values are NULL, empty or blank', async () => {
  expect(await csvOf(['a'], ['x'], [null], [''], ['  '], [null])).toBe('a\nx\n\n""\n  \n\n')
  expect(await csvOf(['a', 'b'], ['1', null], ['2', ''])).toBe('a,b\n1,\n2,""\n')
})

test('CSV keeps trailing spaces and line breaks, and quotes the values that RFC 4180 requires to be quoted', async () => {
  const rows = [
    ['a,b', 'q"q'],
    ['l\nl', 'end  '],
    ['c\rc', '\r\n'],
    [true, 1.5],
  ]
  expect(await csvOf(['a', 'b'], ...rows)).toBe('a,b\n"a,b","q""q"\n"l\nl",end  \n"c\rc","\r\n"\ntrue,1.5\n')
})

test('CSV has no control characters that a terminal interprets', async () => {
  expect(await csvOf(['\u001b[2J'], ['\u009b31m red'], ['tab\tstays'])).toBe('�[2J\n�31m red\ntab\tstays\n')
})

test('CSV has one header for all batches', async () => {
  const batches = [batchOf(['n:int'], [[1], [2]]), batchOf(['n:int'], [[3]])]
  expect(await formatted(csv, batches)).toBe('n\n1\n2\n3\n')
  expect(await formatted(csv, [batchOf(['n:int'], [])])).toBe('n\n')
})

test('CSV has ISO 8601 timestamps, and arrays as JSON', async () => {
  expect(await csvOf(['at:timestamp', 'tags:array'], ['2026-01-31 12:00:00.25', '["a","b"]'])).toBe(
    'at,tags\n2026-01-31T12:00:00.25Z,"[""a"",""b""]"\n',
  )
})
