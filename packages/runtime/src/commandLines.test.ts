import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { processesNaming } from './commandLines.ts'

test('a process is found by a word of its command line while it runs, and not after', async () => {
  const word = `/bees/${process.pid}-${Date.now()}`
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()', word], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  await once(child, 'spawn')
  const during = await processesNaming(word)
  child.stdin.end()
  await once(child, 'exit')

  expect([during, await processesNaming(word)]).toEqual([[child.pid], []])
})
