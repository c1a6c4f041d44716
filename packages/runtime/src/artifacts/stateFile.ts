import { randomUUID } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ZodType, z } from 'zod'
import { messageOf } from '../errors.ts'
import { acquireLock } from './lock.ts'

/** A state file that counts as absent because it cannot be read: cut off, edited by hand, or of another version. */
export interface DamagedState {
  readonly file: string
  /** Why, as a phrase: `it is not valid JSON`. */
  readonly reason: string
}

export interface StateOptions {
  /** Permissions of the file; by default only this user can read it. */
  readonly mode?: number
  /** Whether the file must be on the disk when the write resolves, so that it survives a power failure. */
  readonly durable?: boolean
}

/** The version that every state file is written with. Files with any other version are not read. */
const version = 1
const Versioned = z.object({ version: z.unknown() })

const damages = channel('offstream:damaged-state')
const reported = new Set<string>()

/**
 * Calls `listener` for each damaged state file that this process finds, once per file and reason. Any reader can find
 * one, deep inside a command, and only the edge of the program can print a warning: hence a channel, not a parameter.
 */
export const onDamagedState = (listener: (damage: DamagedState) => void): void =>
  damages.subscribe(message => listener(message as DamagedState))

/**
 * Reads a state file. A damaged file counts as absent and is reported to `onDamagedState`.
 * @returns null if the file is absent or damaged; this function never rejects
 */
export const readState = async <T>(file: string, schema: ZodType<T>): Promise<T | null> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') report(file, messageOf(error))
    return null
  })
  if (text === null) return null
  const result = parse(text, schema)
  if ('reason' in result) report(file, result.reason)
  return 'reason' in result ? null : result.value
}

/**
 * Writes a state file in one step: a reader finds the old state or the new one, also if this process is killed. If it
 * fails, for example on a full disk, the old state remains and nothing else is left. Makes the folder if necessary.
 */
export const writeState = async (
  file: string,
  value: object,
  { mode = 0o600, durable = false }: StateOptions = {},
): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await replaceFile(file, `${JSON.stringify({ version, ...value }, null, 2)}\n`, { mode, durable })
}

/** Reads, changes and writes a state file; updates of several processes at the same time all take effect. */
export const updateState = async <T extends object>(
  file: string,
  schema: ZodType<T>,
  change: (value: T | null) => T,
  options: StateOptions = {},
): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await using _ = await acquireLock(`${file}.lock`)
  await writeState(file, change(await readState(file, schema)), options)
}

const parse = <T>(text: string, schema: ZodType<T>): { readonly value: T } | { readonly reason: string } => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { reason: 'it is not valid JSON' }
  }
  const versioned = Versioned.safeParse(json)
  if (!versioned.success) return { reason: 'it is not a JSON object with a `version`' }
  if (versioned.data.version !== version)
    return { reason: `it has version ${JSON.stringify(versioned.data.version)}, not ${version}` }
  const parsed = schema.safeParse(json)
  if (parsed.success) return { value: parsed.data }
  const [issue] = parsed.error.issues
  return { reason: `\`${issue?.path.join('.')}\`: ${issue?.message}` }
}

const report = (file: string, reason: string): void => {
  const key = `${file}\0${reason}`
  if (reported.has(key)) return
  reported.add(key)
  damages.publish({ file, reason } satisfies DamagedState)
}

/** Writes any file as `writeState` does, in a folder that exists. */
export const replaceFile = async (
  file: string,
  text: string,
  { mode = 0o600, durable = false }: StateOptions = {},
): Promise<void> => {
  // Two writers at the same time, of one process or of several, must not write to the same temporary file.
  const temporary = `${file}.${randomUUID()}.tmp`
  try {
    const handle = await open(temporary, 'wx', mode)
    try {
      await handle.writeFile(text)
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined)
    throw error
  }
}
