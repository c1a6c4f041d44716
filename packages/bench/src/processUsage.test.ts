import { expect, test } from 'vitest'
import { cpuSecondsOf, megabytesOf, processesWith, ticksIn } from './processUsage.ts'

test('the processor time includes user and system time, of the process and its children', () => {
  const stat = '42 (a (strange) name) S 1 42 42 0 -1 4194560 100 0 0 0 11 12 13 14 20 0 1 0'
  expect(ticksIn(stat)).toBe(11 + 12 + 13 + 14)
})

test('a process that has exited counts as 0', async () => {
  const exited = [{ pid: 2 ** 30, command: 'exited' }]
  expect([await cpuSecondsOf(exited), await megabytesOf(exited)]).toEqual([0, 0])
})

test('a text that no command line contains matches no process', async () => {
  expect(await processesWith(`no-${crypto.randomUUID()}`)).toEqual([])
})
