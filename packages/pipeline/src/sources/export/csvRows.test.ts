import { expect, test } from 'vitest'
import { type CsvDialect, CsvRows } from './csvRows.ts'

const tabs: CsvDialect = { delimiter: '\t', lineEnd: '\n' }
const commas: CsvDialect = { delimiter: ',', lineEnd: '\n' }

type Read = readonly [line: number, fields: string | readonly string[]]

/** The lines and fields of the rows, or why they are skipped. The first line is the header. */
const read = (text: string | Buffer, dialect = tabs, partBytes = Number.POSITIVE_INFINITY): Read[] => {
  const rows = new CsvRows(dialect)
  const found: Read[] = []
  const bytes = Buffer.from(text)
  const part = Math.min(partBytes, bytes.length)
  for (let at = 0; at <= bytes.length; at += part) {
    for (const row of rows.take(bytes.subarray(at, at + part), at + part > bytes.length)) {
      if ('skippedBy' in row) found.push([row.place, row.reason])
      else if (rows.header === null) {
        const names = Array.from({ length: row.fields.count }, (_, index) => row.fields.text(index))
        rows.header = { width: names.length, codeColumn: names.indexOf('code') }
      } else
        found.push([
          row.place,
          Array.from({ length: row.fields.count }, (_, index) => row.fields.text(index)),
        ])
    }
  }
  return found
}

test.each<readonly [what: string, dialect: CsvDialect, text: string, rows: readonly Read[]]>([
  [
    'a text that starts with a quote',
    tabs,
    'code\ta\tb\n1000001\t"Le Bon" jambon\tx\n1000002\t"Bio\ty\n1000003\t5" pizza\tz',
    [
      [2, ['1000001', '"Le Bon" jambon', 'x']],
      [3, ['1000002', '"Bio', 'y']],
      [4, ['1000003', '5" pizza', 'z']],
    ],
  ],
  [
    'a quote that a later row could close',
    tabs,
    'code\ta\tb\n1000001\t"Bio\tx\n1000002\tA\ty\n1000003\tB"\tz\n',
    [
      [2, ['1000001', '"Bio', 'x']],
      [3, ['1000002', 'A', 'y']],
      [4, ['1000003', 'B"', 'z']],
    ],
  ],
  [
    'quoted fields with delimiters, quotes and line ends',
    commas,
    'code,a,b\n1000001,"A, ""B""\nC","D\n\nE"\n1000002, "F, G" ,\n',
    [
      [2, ['1000001', 'A, "B"\nC', 'D\n\nE']],
      [6, ['1000002', 'F, G', '']],
    ],
  ],
  [
    'quoted fields in the same row as a text with quotes',
    tabs,
    'code\ta\tb\n1000001\t"A ""B"""\t"C" D\n',
    [[2, ['1000001', 'A "B"', '"C" D']]],
  ],
  ['a quoted field before the code', commas, 'a,code,b\n"A\nB",1000001,C\n', [[2, ['A\nB', '1000001', 'C']]]],
  [
    'rows with another number of fields',
    tabs,
    'code\ta\tb\n1000001\tA\tB\tC\n1000002\tD\tE\n1000003\n\n  \n1000004\t"F\tG\n"H\t"I"\n1000005\tJ\tK\n',
    [
      [2, 'it has 4 fields, but the header has 3'],
      [3, ['1000002', 'D', 'E']],
      [4, 'it has 1 field, but the header has 3'],
      [7, ['1000004', '"F', 'G']],
      [8, 'it has 2 fields, but the header has 3'],
      [9, ['1000005', 'J', 'K']],
    ],
  ],
  [
    'a quoted row of several lines with another number of fields',
    commas,
    'code,a\n1000001,"A\nB",C\n1000002,D\n',
    [
      [2, 'it has 3 fields, but the header has 2'],
      [4, ['1000002', 'D']],
    ],
  ],
  [
    'line ends of Windows',
    commas,
    'code,a\r\n1000001,"A"\r\n1000002,\r\n',
    [
      [2, ['1000001', 'A']],
      [3, ['1000002', '']],
    ],
  ],
  [
    'line ends of old Mac files',
    { ...commas, lineEnd: '\r' },
    'code,a\r1000001,"A\rB"\r1000002,C',
    [
      [2, ['1000001', 'A\rB']],
      [4, ['1000002', 'C']],
    ],
  ],
  ['zero bytes', tabs, 'code\ta\n1000001\tA\0B\n', [[2, ['1000001', 'A\0B']]]],
])('%s', (_what, dialect, text, rows) => {
  expect(read(text, dialect)).toEqual(rows)
  for (const bytes of [1, 2, 7]) expect(read(text, dialect, bytes)).toEqual(rows)
})

test('a row that is not valid UTF-8 is skipped', () => {
  const latin1 = Buffer.from('1000001\tP\u00e2te\n', 'latin1')
  const text = Buffer.concat([Buffer.from('code\ta\n'), latin1, Buffer.from('1000002\tPâte\n')])
  expect(read(text)).toEqual([
    [2, 'it is not valid UTF-8'],
    [3, ['1000002', 'Pâte']],
  ])
})

test('a line that is too long is skipped, and not kept in memory', () => {
  const text = `code\ta\n1000001\t${'x'.repeat(5_000_000)}\n1000002\tB\n`
  expect(read(text, tabs, 65_536)).toEqual([
    [2, 'the line is too long'],
    [3, ['1000002', 'B']],
  ])
})
