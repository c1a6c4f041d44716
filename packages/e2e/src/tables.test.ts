import { expect, test } from 'vitest'
import { filesWith, linesOf } from './repository.ts'

const delimiterRow = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/

/** GitHub splits at each pipe without a backslash, also inside back-ticks. */
const cellsOf = (row: string): number =>
  row
    .trim()
    .replace(/^\||(?<!\\)\|$/g, '')
    .split(/(?<!\\)\|/).length

/** A line for each row whose cells do not match the head. GitHub renders no table if the delimiter row differs. */
const wrongRows = (lines: readonly string[]): string[] => {
  const wrong: string[] = []
  let isCode = false
  let columns = 0
  for (const [index, line] of lines.entries()) {
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode
    const head = lines[index - 1] ?? ''
    const isDelimiter = !isCode && line.includes('|') && delimiterRow.test(line) && head.includes('|')
    if (isDelimiter && columns === 0) {
      columns = cellsOf(head)
      if (cellsOf(line) !== columns) wrong.push(`${index + 1}: ${cellsOf(line)} delimiters, ${columns} heads`)
    } else if (columns > 0 && !line.includes('|')) columns = 0
    else if (columns > 0 && cellsOf(line) !== columns)
      wrong.push(`${index + 1}: ${cellsOf(line)} cells, ${columns} heads`)
  }
  return wrong
}

test('a table that GitHub does not render is found', () => {
  expect(wrongRows(['| a | b |', '| --- | --- |', '| 1 | `x \\| y` |', '', '| a | b |', '|---|'])).toEqual([
    '6: 1 delimiters, 2 heads',
  ])
})

test('every Markdown table has as many delimiters and cells as heads', () => {
  const wrong = filesWith(['.md']).flatMap(file => wrongRows(linesOf(file)).map(row => `${file}:${row}`))
  expect(wrong).toEqual([])
})
