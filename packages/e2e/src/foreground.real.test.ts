import { until } from '@offstream/runtime'
import { expect, test } from 'vitest'
import { scratchStack } from './stack.ts'

test('a closed terminal stops the services of `up --foreground`, and the result is the last line', async () => {
  await using stack = await scratchStack()
  await using up = stack.start(['up', '--foreground', '--json'])
  await until(async () => expect(up.stdout()).toContain('"kind":"allReady"'), {
    what: 'all services to be ready',
    timeoutMs: 180_000,
  })
  up.signal('SIGHUP')
  const { exitCode, stdout } = await up.result
  const last = JSON.parse(stdout.split('\n').at(-1) ?? '')
  expect([exitCode, last.kind, await stack.processes()]).toEqual([143, 'up', []])
})
