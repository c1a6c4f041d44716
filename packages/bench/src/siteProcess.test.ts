import { expect, test } from 'vitest'
import { siteBy } from './siteProcess.ts'

const program = (source: string) => [process.execPath, '-e', source] as const

test('a site that dies before it serves is told by its last words, instead of waited for', async () => {
  const dies = program('console.error("port 8090 is in use"); process.exit(7)')
  await expect(siteBy(dies)).rejects.toThrow(/ended with 7:\nport 8090 is in use/)
})

test('so is one that says anything else first', async () => {
  const talks = program('console.log("good morning"); setInterval(() => undefined, 1000)')
  await expect(siteBy(talks)).rejects.toThrow('the site does not serve')
})

test('one that serves is known by its address, until it is ended', async () => {
  const serves = program(
    'console.log(`{"address":"http://127.0.0.1:1"}`); setInterval(() => undefined, 1000)',
  )
  await using site = await siteBy(serves)
  expect(site.address).toBe('http://127.0.0.1:1')
})
