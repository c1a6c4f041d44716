import type { QueryResult } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { csvOf } from './csv.ts'

const resultOf = (names: readonly string[], ...rows: readonly (readonly unknown[])[]): QueryResult =>
  ({ columns: names.map(name => ({ name, type: 'string' })), rows }) as QueryResult

test('every row of a query is a record of the CSV, also rows that are NULL, empty or blank', () => {
  expect(csvOf(resultOf(['a'], ['x'], [null], [''], ['  '], [null]))).toBe('a\nx\n\n""\n  \n\n')
  expect(csvOf(resultOf(['a', 'b'], ['1', null], ['2', '']))).toBe('a,b\n1,\n2,""\n')
})

test('CSV keeps trailing blanks and line breaks, and quotes what RFC 4180 says must be quoted', () => {
  const rows = [
    ['a,b', 'q"q'],
    ['l\nl', 'end  '],
    [true, 1.5],
  ]
  expect(csvOf(resultOf(['a', 'b'], ...rows))).toBe('a,b\n"a,b","q""q"\n"l\nl",end  \ntrue,1.5\n')
})

test('CSV has no control characters that a terminal interprets', () => {
  expect(csvOf(resultOf(['\u001b[2J'], ['\u009b31m red'], ['tab\tstays']))).toBe(
    '�[2J\n�31m red\ntab\tstays\n',
  )
})
