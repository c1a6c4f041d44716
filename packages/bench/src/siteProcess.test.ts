import { expect, test } from 'vitest'
import { siteBy } from './siteProcess.ts'

const program = (source: string) => [process.execPath, '-e', source] as const

test('a site that exits before it serves is reported with its last output', async () => {
  const failing = program('console.error("port 8090 is in use"); process.exit(7)')
  await expect(siteBy(failing)).rejects.toThrow(/exited with 7:\nport 8090 is in use/)
})

test('a site that prints anything else first is reported', async () => {
  const chatty = program('console.log("good morning"); setInterval(() => undefined, 1000)')
  await expect(siteBy(chatty)).rejects.toThrow('the site did not start')
})

test('a site that serves has its address', async () => {
  const serving = program(
    'console.log(`{"address":"http://127.0.0.1:1"}`); setInterval(() => undefined, 1000)',
  )
  await using site = await siteBy(serving)
  expect(site.address).toBe('http://127.0.0.1:1')
})
