import type { Batch } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { json, jsonObject, ndjson } from './json.ts'
import { batchOf, formatted, resultOf } from './testRows.ts'

const oneOf = async (type: string, value: string | number | boolean | null): Promise<string> =>
  (await formatted(ndjson, resultOf([`it:${type}`], [value]))).slice('{"it":'.length, -'}\n'.length)

test.each([
  ['int', 1, '1'],
  ['double', 1e300, '1e+300'],
  ['double', Number.NaN, '"NaN"'],
  ['double', Number.NEGATIVE_INFINITY, '"-Infinity"'],
  ['bigint', 9_007_199_254_740_991, '9007199254740991'],
  ['bigint', '9007199254740993', '"9007199254740993"'],
  ['decimal', '12345678901234567890.12', '"12345678901234567890.12"'],
  ['boolean', false, 'false'],
  ['string', 'say "hi"\n\u009b', '"say \\"hi\\"\\n\\u009b"'],
  ['string', '[1]', '"[1]"'],
  ['string', null, 'null'],
  ['timestamp', '2026-01-31 12:00:00.25', '"2026-01-31T12:00:00.25Z"'],
  ['date', '2026-01-31', '"2026-01-31"'],
  ['binary', '/wA=', '"/wA="'],
  ['array', '["a",12345678901234567890]', '["a",12345678901234567890]'],
  ['map', '{"k":null}', '{"k":null}'],
  ['struct', null, 'null'],
  // Other servers than Spark have their own format.
  ['array', '[not json]', '"[not json]"'],
] as const)('the %s %j is the JSON %s', async (type, value, expected) => {
  expect(await oneOf(type, value)).toBe(expected)
})

const batches: readonly Batch[] = [
  batchOf(['n:int', 'n:int'], [[1, 2]]),
  batchOf(
    ['n:int', 'n:int'],
    [
      [3, 4],
      [5, 6],
    ],
  ),
]

test('JSON formats name the second column of the same name `name_2`, and join all batches', async () => {
  const rows = '{"n":1,"n_2":2},{"n":3,"n_2":4},{"n":5,"n_2":6}'
  expect(await formatted(ndjson, batches)).toBe(`${rows.replaceAll('},{', '}\n{')}\n`)
  expect(await formatted(json, batches)).toBe(`[${rows}]\n`)
  expect(await formatted(jsonObject, batches)).toBe(
    `{"version":1,"columns":[{"name":"n","type":"int"},{"name":"n","type":"int"}],"rows":[${rows}]}\n`,
  )
})

test('a result without rows is empty in NDJSON, and an empty array in JSON', async () => {
  const empty = resultOf(['n:int'])
  expect(await formatted(ndjson, empty)).toBe('')
  expect(await formatted(json, empty)).toBe('[]\n')
  expect(JSON.parse(await formatted(jsonObject, empty))).toMatchObject({ rows: [] })
})
