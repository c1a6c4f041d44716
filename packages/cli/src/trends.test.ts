import { stripVTControlCharacters } from 'node:util'
import type { Sample } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { sparkline, trendsText } from './trends.ts'

test('the highest bar is the largest value, and an unknown value is a space', () => {
  expect([sparkline([0, 1, 2, null, 7]), sparkline([0, 0]), sparkline([1, 2, 3, 4], 2)]).toEqual([
    '▁▂▃ █',
    '▁▁',
    '▆█',
  ])
})

test('a watch shows the rates and the lag from the second status on', () => {
  const sample = (at: number, acknowledged: number, consumed: number): Sample => ({
    ...{ at, acknowledged, consumed, visible: null, lag: acknowledged - consumed, freshnessSeconds: null },
  })
  const samples = [sample(0, 0, 0), sample(2_000, 100, 25), sample(4_000, 100, 100)]
  expect(trendsText(samples.slice(0, 1))).toBe('')
  expect(stripVTControlCharacters(trendsText(samples)).split('\n')).toEqual([
    'arrived   █▅ 25/s',
    'consumed  ▅█ 25/s',
    'lag      ▁█▁ 0',
  ])
})
