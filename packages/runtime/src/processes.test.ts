import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { identify, processesNaming, psEnvironment, startIdOf, waitForExit } from './processes.ts'

/** A process that runs until it is killed. */
const bee = async (...words: string[]) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...words], { stdio: 'ignore' })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child, 'spawn')
  return { child, identity: (await identify(child.pid ?? 0)) ?? expect.fail() }
}

test('a process is found by a word of its command line while it runs, and not after', async () => {
  const word = `/bees/${process.pid}-${Date.now()}`
  const { child } = await bee(word)
  const during = await processesNaming(word)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect([during, await processesNaming(word)]).toEqual([[child.pid], []])
})

test('the exit of a process is noticed, and a timeout or an abort ends the wait', async () => {
  const { child, identity } = await bee()
  const abort = new AbortController()
  const aborted = waitForExit(identity, { signal: abort.signal })
  abort.abort()
  const waits = [await waitForExit(identity, { timeoutMs: 20 }), await aborted]
  const exited = waitForExit(identity)
  child.kill('SIGKILL')
  expect([...waits, await exited]).toEqual([false, false, true])
})

test('a wait for an exit checks the identity of the process rarely, and backs off', async () => {
  const calls = { exists: 0, isAlive: 0 }
  const probe = {
    identityIntervalMs: 2_000,
    exists: () => {
      calls.exists += 1
      return true
    },
    isAlive: async () => {
      calls.isAlive += 1
      return true
    },
  }
  expect(await waitForExit({ pid: 7, startId: 'a' }, { timeoutMs: 700, probe })).toBe(false)
  expect([calls.isAlive, calls.exists < 15]).toEqual([2, true])
})

test('another process with the same pid counts as exited', async () => {
  const { identity } = await bee()
  expect(await waitForExit({ ...identity, startId: 'long ago' }, { timeoutMs: 0 })).toBe(true)
})

test.each([
  ['S    Thu Nov 26 06:28:25 2026', 'Thu Nov 26 06:28:25 2026'],
  ['Ss   Thu Nov  6 06:28:25 2026\n', 'Thu Nov 6 06:28:25 2026'],
  ['Z    Thu Nov 26 06:28:25 2026', null],
  ['', null],
])('`ps` printing %j gives the start %j', (line, start) => expect(startIdOf(line)).toBe(start))

test('neither language nor time zone of the user change the start that `ps` prints', async () => {
  const { identity } = await bee()
  const startOf = async (environment: Record<string, string>): Promise<string> => {
    const child = spawn('ps', ['-o', 'stat=,lstart=', '-p', String(identity.pid)], {
      env: { ...process.env, ...environment, ...psEnvironment },
    })
    const chunks: Buffer[] = []
    for await (const chunk of child.stdout) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  const [one, other] = [
    await startOf({ LC_ALL: 'fr_FR.UTF-8', TZ: 'Asia/Tokyo' }),
    await startOf({ TZ: 'America/New_York' }),
  ]
  expect(startIdOf(one)).toBe(startIdOf(other))
  expect(startIdOf(one)).toMatch(/^[A-Z][a-z]{2} [A-Z][a-z]{2} \d+ \d\d:\d\d:\d\d \d{4}$/)
})
