import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../processes.ts'
import { acquireLock, LockedError, lockHolder } from './lock.ts'

const scratch = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-lock-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return { folder, file: join(folder, 'hive.lock') }
}

/** The text of a lock that another living process holds, and how to kill that process. */
const otherHolder = async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await once(child, 'spawn')
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    pid: child.pid ?? 0,
    text: JSON.stringify({ version: 1, ...(await identify(child.pid ?? 0)) }),
    kill: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

test('a lock has one holder at a time, and leaves nothing behind when it is released', async () => {
  const { folder, file } = await scratch()
  {
    await using _ = await acquireLock(file)
    await expect(acquireLock(file, { timeoutMs: 0 })).rejects.toThrow(LockedError)
    expect(await lockHolder(file)).toMatchObject({ pid: process.pid })
  }
  expect([await lockHolder(file), await readdir(folder)]).toEqual([null, []])
  await using _ = await acquireLock(file, { timeoutMs: 0 })
})

test('a lock is free from the moment in which its holder is killed', async () => {
  const { file } = await scratch()
  const other = await otherHolder()
  await writeFile(file, other.text)
  await expect(acquireLock(file, { timeoutMs: 0 })).rejects.toMatchObject({ holder: { pid: other.pid } })
  await other.kill()
  await using _ = await acquireLock(file, { timeoutMs: 0 })
  expect(await lockHolder(file)).toMatchObject({ pid: process.pid })
})

test.each([
  [
    'whose pid another process has now',
    JSON.stringify({ version: 1, pid: process.pid, startId: 'long ago' }),
  ],
  ['that is damaged', '{"version":1,"pi'],
  ['that is empty', ''],
])('a lock file %s holds nothing', async (_, text) => {
  const { folder, file } = await scratch()
  await writeFile(file, text)
  expect(await lockHolder(file)).toBeNull()
  {
    await using _ = await acquireLock(file, { timeoutMs: 0 })
  }
  expect(await readdir(folder)).toEqual([])
})

test('of many that find the lock of a killed holder one at a time gets it', async () => {
  const { folder, file } = await scratch()
  const other = await otherHolder()
  await writeFile(file, other.text)
  await other.kill()
  let [inside, most] = [0, 0]
  const visit = async () => {
    await using _ = await acquireLock(file)
    inside += 1
    most = Math.max(most, inside)
    await readdir(folder)
    inside -= 1
  }
  await Promise.all(Array.from({ length: 10 }, visit))
  expect([most, inside, await readdir(folder)]).toEqual([1, 0, []])
})

test('a wait for a lock stops when its signal is aborted', async () => {
  const { file } = await scratch()
  await using _ = await acquireLock(file)
  const abort = new AbortController()
  const waiting = acquireLock(file, { timeoutMs: Number.POSITIVE_INFINITY, signal: abort.signal })
  const outcome = expect(waiting).rejects.toThrow('enough')
  abort.abort(new Error('enough'))
  await outcome
})

test('a lock whose folder was deleted can be released, and does not remove that of a later holder', async () => {
  const { folder, file } = await scratch()
  const other = await otherHolder()
  {
    await using _ = await acquireLock(file)
    await rm(file)
    await writeFile(file, other.text)
  }
  expect([await lockHolder(file), await readdir(folder)]).toEqual([
    expect.objectContaining({ pid: other.pid }),
    ['hive.lock'],
  ])
})
