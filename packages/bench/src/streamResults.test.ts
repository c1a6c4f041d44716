import { expect, test } from 'vitest'
import { insertSection, type Run, resultTable } from './streamResults.ts'

const run = (contender: string, seconds: number, busy = false): Run => ({
  contender,
  figures: { seconds },
  load: 1,
  busy,
})
const columns = [{ key: 'seconds', title: 'seconds', digits: 1 }]

test('the table shows the median and the range of each contender, in order of their first runs', () => {
  const runs = [run('one', 3), run('other', 10), run('one', 1), run('one', 2)]
  expect(resultTable(runs, columns)).toBe(
    [
      '|  | seconds | runs | load |',
      '| --- | --- | --- | --- |',
      '| one | 2.0 (1.0–3.0) | 3 | 1.0 |',
      '| other | 10.0 | 1 | 1.0 |',
    ].join('\n'),
  )
})

test('a contender with a run on a busy machine has a star', () => {
  expect(resultTable([run('one', 3), run('one', 3, true)], columns)).toContain(
    '| one \\* | 3.0 (3.0–3.0) | 2 | 1.0 |',
  )
})

test('a figure that a contender does not have is a dash', () => {
  expect(resultTable([{ ...run('one', 3), figures: {} }], columns)).toContain('| one | – | 1 | 1.0 |')
})

test('the figures of one contender with many columns are rows', () => {
  const many = Array.from({ length: 9 }, (_, index) => ({
    key: 'seconds',
    title: `figure ${index}`,
    digits: 0,
  }))
  expect(
    resultTable([run('one', 3)], many)
      .split('\n')
      .slice(0, 3),
  ).toEqual(['|  | one |', '| --- | --- |', '| figure 0 | 3 |'])
})

test('a section replaces only the text between its marks', () => {
  const document = 'a\n<!-- stream results: begin -->\nold\n<!-- stream results: end -->\nb\n'
  expect(insertSection(document, 'new')).toBe(
    'a\n<!-- stream results: begin -->\n\nnew\n\n<!-- stream results: end -->\nb\n',
  )
})

test('a document without marks is not changed', () => {
  expect(() => insertSection('text', 'new')).toThrow('does not have the two marks')
})
