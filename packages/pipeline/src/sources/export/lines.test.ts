import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineCutter } from './lines.ts'

const linesOf = (chunks: readonly string[], longest?: number): (string | null)[] => {
  const cutter = new LineCutter(longest)
  const cut = chunks.flatMap(chunk => cutter.cut(Buffer.from(chunk)))
  return [...cut, ...cutter.rest()].map(line => line?.toString() ?? null)
}

test('a text is cut into the same lines however it comes', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ab\n]{0,5}$/)), chunks => {
      const lines = chunks.join('').split('\n')
      if (lines.at(-1) === '') lines.pop()
      expect(linesOf(chunks)).toEqual(lines)
    }),
  )
})

test('a line that is too long is dropped, the others are kept', () => {
  expect(linesOf(['abc\nabcdef', 'ghi', 'jkl\nab\n', 'abcdef\n', 'abcdefg'], 4)).toEqual([
    'abc',
    null,
    'ab',
    null,
    null,
  ])
})
