import { createHash, randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { identify, isAlive, type ProcessIdentity } from '../processes.ts'
import { pause } from '../until.ts'

/** A lock that this process holds until it is disposed of. */
export type Lock = AsyncDisposable

/** The lock is held by another process, or by another part of this one, and was not released in time. */
export class LockedError extends Error {
  override readonly name = 'LockedError'
  readonly holder: ProcessIdentity

  constructor(file: string, holder: ProcessIdentity) {
    super(`\`${file}\` is locked by pid ${holder.pid}`)
    this.holder = holder
  }
}

export interface LockOptions {
  /** How long to wait until the holder releases it; 0 does not wait. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Locks around a read and a write take milliseconds; this is for a machine that is very busy. */
const defaultTimeoutMs = 15_000
const intervalMs = 50

/**
 * Takes the lock `file`; its folder must exist. The file names its holder by pid and start of the
 * process, so a lock is free from the moment in which its holder exits, also if it was killed.
 *
 * @throws LockedError if the holder does not release it in time; the reason of `signal` when that is aborted
 */
export const acquireLock = async (
  file: string,
  { timeoutMs = defaultTimeoutMs, signal }: LockOptions = {},
): Promise<Lock> => {
  const own = await ownText()
  for (const deadline = Date.now() + timeoutMs; ; ) {
    signal?.throwIfAborted()
    const holder = await tryLock(file, own)
    if (holder === null) return { [Symbol.asyncDispose]: () => release(file, own) }
    if (Date.now() >= deadline) throw new LockedError(file, holder)
    await pause(intervalMs, signal)
  }
}

/** @returns the living process that holds the lock; null if the lock is free */
export const lockHolder = async (file: string): Promise<ProcessIdentity | null> => {
  const text = await textOf(file)
  return text === null ? null : livingHolder(text)
}

/** @returns null if this process now holds the lock, otherwise the living holder */
const tryLock = async (file: string, own: string): Promise<ProcessIdentity | null> => {
  for (;;) {
    const text = await textOf(file)
    if (text === null) {
      if (await createWhole(file, own)) return null
      continue
    }
    const holder = await livingHolder(text)
    if (holder !== null) return holder
    const breaker = await breakLock(file, text, own)
    if (breaker !== null) return breaker
  }
}

/**
 * Removes the lock file of a dead holder. Of several processes that see the same dead holder only one may do so,
 * otherwise the second would remove the new lock of the first. They use another lock, which is named after
 * the dead holder's text; if its holder dies too, the same applies to that one.
 *
 * @returns the living process that is removing it; null if it is gone
 */
const breakLock = async (file: string, deadText: string, own: string): Promise<ProcessIdentity | null> => {
  const digest = createHash('sha256').update(deadText).digest('hex').slice(0, 8)
  // The recursion must not make the name longer than a file's name can be.
  const guard = `${file.replace(/\.breaking-[0-9a-f]+$/, '')}.breaking-${digest}`
  const breaker = await tryLock(guard, own)
  if (breaker !== null) return breaker
  try {
    if ((await textOf(file)) === deadText) await rm(file, { force: true })
    return null
  } finally {
    await release(guard, own)
  }
}

/** Creates `file` with all of its text, or not at all: `open` with `wx` would show an empty file for a moment. */
const createWhole = async (file: string, text: string): Promise<boolean> => {
  const temporary = `${file}.${randomUUID()}.tmp`
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' })
    await link(temporary, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined)
  }
}

/** The folder may be gone, and another holder's file may be in its place. */
const release = async (file: string, own: string): Promise<void> => {
  if ((await textOf(file).catch(() => null)) === own) await rm(file, { force: true }).catch(() => undefined)
}

const textOf = (file: string): Promise<string | null> =>
  readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })

const Holder = z.object({ version: z.literal(1), pid: z.int(), startId: z.string() })

const livingHolder = async (text: string): Promise<ProcessIdentity | null> => {
  try {
    const holder = Holder.parse(JSON.parse(text))
    return (await isAlive(holder)) ? holder : null
  } catch {
    return null
  }
}

/** The id tells apart the locks of one process, so that none removes the file of another. */
const ownText = async (): Promise<string> => {
  const own = await identify(process.pid)
  if (own === null) throw new Error('the current process was not found in the process table')
  return `${JSON.stringify({ version: 1, ...own, id: randomUUID() })}\n`
}
