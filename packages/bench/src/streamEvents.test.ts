import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { productColumns } from '@offstream/pipeline'
import { expect, test } from 'vitest'

const peers = join(import.meta.dirname, '../peers')

const eventsOf = (...choice: readonly string[]): string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'offstream-events-'))
  try {
    const file = join(folder, 'events.jsonl')
    execFileSync('python3', [join(peers, 'events.py'), file, ...choice])
    return readFileSync(file, 'utf8').trimEnd().split('\n')
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the same choice gives the same bytes', () => {
  const choice = ['--events', '200', '--keys', '50']
  expect(eventsOf(...choice)).toEqual(eventsOf(...choice))
})

test('every message has 980 bytes and all columns of the record', () => {
  const lines = eventsOf('--events', '200', '--keys', '50')
  expect(new Set(lines.map(line => Buffer.byteLength(line)))).toEqual(new Set([980]))
  expect(Object.keys(JSON.parse(lines[0] ?? ''))).toEqual(productColumns)
})

test('products are drawn at random, and some messages are older than the one before', () => {
  const records = eventsOf('--events', '500', '--keys', '20').map(line => JSON.parse(line))
  const times = records.map(({ as_of }) => Date.parse(as_of))
  expect(new Set(records.map(({ code }) => code)).size).toBe(20)
  expect(times.filter((time, index) => time < (times[index - 1] ?? 0)).length).toBeGreaterThan(1)
})

test('each product occurs once on request, in order', () => {
  const codes = eventsOf('--events', '30', '--keys', '30', '--first', '7', '--once').map(
    line => JSON.parse(line).code,
  )
  expect(codes).toEqual(Array.from({ length: 30 }, (_, index) => String(3_000_000_000_007 + index)))
})
