import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { table as draw } from '../output.ts'
import { table } from './table.ts'
import { batchOf, formatted, resultOf } from './testRows.ts'

const tableOf = async (batches: Parameters<typeof formatted>[1], dataWidth?: number): Promise<string> =>
  stripVTControlCharacters(await formatted(table({ table: draw, dataWidth }), batches))

test('a table aligns its columns', async () => {
  expect(await tableOf(resultOf(['n:int', 'text'], [1, 'a'], [200, null], [3, 'x\u001b[2J\ny']))).toBe(
    'n    text\n1    a\n200  null\n3    x y\n',
  )
})

test('a table without rows has its header', async () => {
  expect(await tableOf(resultOf(['n:int', 'text']))).toBe('n  text\n')
})

test('after the first 1,000 rows, longer values make a column wider from that row on', async () => {
  const names = ['n:int', 'text']
  const first = Array.from({ length: 1_000 }, (_, n) => [n, 'a'])
  const lines = (
    await tableOf([batchOf(names, first), batchOf(names, [[12_345, 'b']]), batchOf(names, [[1, 'c']])])
  ).split('\n')
  expect([lines[0], lines[1], lines[1_000], ...lines.slice(1_001)]).toEqual([
    'n    text',
    '0    a',
    '999  a',
    '12345  b',
    '1      c',
    '',
  ])
})

test('on a terminal, every block of a table is truncated to the same widths', async () => {
  const rows = Array.from({ length: 1_000 }, () => ['x'.repeat(30), 'y'])
  const lines = (await tableOf([batchOf(['a', 'b'], rows), batchOf(['a', 'b'], [['z', 'y']])], 20)).split(
    '\n',
  )
  expect([lines[1], lines[1_001]]).toEqual([`${'x'.repeat(16)}…  y`, `z${' '.repeat(18)}y`])
})
