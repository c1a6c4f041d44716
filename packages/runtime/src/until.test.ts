import { expect, test } from 'vitest'
import { firstOf } from './until.ts'

/** Never settles by itself. */
const hang = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

test('the first candidate that succeeds is the result, and the attempts of the others end', async () => {
  const stopped: string[] = []
  const attempt = async (name: string, signal: AbortSignal): Promise<string> => {
    if (name === 'damaged') throw new Error('damaged')
    if (name === 'active') return name
    return hang(signal).finally(() => stopped.push(name))
  }
  const wait = { what: 'a response', timeoutMs: 60_000 }
  expect(await firstOf(['hangs', 'damaged', 'active'], attempt, wait)).toBe('active')
  await expect.poll(() => stopped).toEqual(['hangs'])
})

test('if no candidate succeeds, the errors are in their order, also of one that never responds', async () => {
  const attempt = (name: string, signal: AbortSignal): Promise<string> =>
    name === 'hangs' ? hang(signal) : Promise.reject(new Error(name))
  const found = firstOf(['hangs', 'damaged'], attempt, { what: 'a response', timeoutMs: 20 })
  await expect(found).rejects.toMatchObject({
    errors: [{ message: 'timed out after 0.02 s waiting for a response' }, { message: 'damaged' }],
  })
})

test('an aborted signal ends the attempts with its reason', async () => {
  const stop = new AbortController()
  const found = firstOf(['hangs'], (_, signal) => hang(signal), {
    ...{ what: 'a response', timeoutMs: 60_000, signal: stop.signal },
  })
  stop.abort(new Error('stopped'))
  await expect(found).rejects.toThrow('stopped')
})
