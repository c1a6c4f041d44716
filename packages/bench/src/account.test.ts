import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** An event of load.py, with its offset as its number. */
const event = (offset: number, code: string, kind = 'update', sentAt = offset) => ({
  ...{ event: offset, offset, code, kind },
  sent_at: sentAt,
})

interface Tables {
  readonly events: readonly ReturnType<typeof event>[]
  readonly before: readonly string[]
  readonly rows: readonly (readonly [code: string, offset: number, deleted: boolean])[]
  readonly rejected: readonly number[]
}

const program = `
import json, sys
from account import account
given = json.load(sys.stdin)
rows = [tuple(row) for row in given["rows"]]
print(json.dumps(account(given["events"], set(given["before"]), rows, given["rejected"])))
`

const accountOf = (tables: Tables): unknown =>
  JSON.parse(
    execFileSync('python3', ['-c', program], {
      input: JSON.stringify(tables),
      encoding: 'utf8',
      cwd: join(import.meta.dirname, '../peers'),
    }),
  )

test('each event is the row of its product, replaced by a newer one, or rejected', () => {
  const events = [event(1, 'a'), event(2, 'a'), event(3, 'b', 'delete'), event(4, 'a', 'invalid')]
  const rows = [['a', 2, false] as const, ['b', 3, true] as const, ['c', 0, false] as const]
  expect(accountOf({ events, before: ['b', 'c'], rows, rejected: [4] })).toEqual({
    ...{ events: 4, products: 3, rejected: 1 },
    ...{ missing: 0, wrong: 0, unexpected: 0, examples: [] },
  })
})

test('a lost event, a lost product and a lost rejected message are missing or wrong', () => {
  const events = [event(1, 'a'), event(2, 'a'), event(3, 'b'), event(4, 'b', 'invalid')]
  expect(accountOf({ events, before: ['c'], rows: [['a', 1, false]], rejected: [] })).toMatchObject({
    missing: 3,
    wrong: 1,
    unexpected: 0,
    examples: ['b', 'c', 'rejected message 4', 'a: (1, False), not (2, False)'],
  })
})

test('a row without an event, a duplicate row and an extra rejected message are unexpected', () => {
  const rows = [['a', 1, false] as const, ['a', 1, false] as const, ['z', 9, false] as const]
  expect(accountOf({ events: [event(1, 'a')], before: [], rows, rejected: [7] })).toMatchObject({
    missing: 0,
    wrong: 0,
    unexpected: 3,
  })
})

test('of a delete and an update of the same millisecond the update is newer', () => {
  const events = [event(2, 'a', 'delete', 5), event(1, 'a', 'update', 5)]
  expect(accountOf({ events, before: [], rows: [['a', 1, false]], rejected: [] })).toMatchObject({ wrong: 0 })
})
