import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockCutter, linesOf } from './lines.ts'

/** The lines of chunks that end anywhere, each with its number, from 1. */
const numbered = (chunks: readonly string[], longest?: number): [number, string | null][] => {
  const cutter = new BlockCutter(longest)
  const blocks = [...chunks.flatMap(chunk => cutter.cut(Buffer.from(chunk))), ...cutter.rest()]
  return blocks.flatMap(block =>
    linesOf(block, longest).map((line, index): [number, string | null] => [
      block.before + index + 1,
      line?.toString() ?? null,
    ]),
  )
}

test('a text is cut into the same lines, whatever its chunks are', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab\n]{0,5}$/)), chunks => {
      const lines = chunks.join('').split('\n')
      if (lines.at(-1) === '') lines.pop()
      expect(numbered(chunks)).toEqual(lines.map((line, index) => [index + 1, line]))
    }),
  )
})

test('only a line that is too long is dropped', () => {
  expect(numbered(['abc\nabcdef', 'ghi', 'jkl\nab\n', 'abcdef\n', 'abcdefg'], 4)).toEqual([
    [1, 'abc'],
    [2, null],
    [3, 'ab'],
    [4, null],
    [5, null],
  ])
})
