import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { messageOf } from '@offstream/runtime/errors'
import { CliError } from './errors.ts'

type Parts = AsyncIterable<string | Uint8Array>

/**
 * Writes a file that appears only when it is complete: until then its parts are in a hidden file next to it, which is
 * deleted after an error. An existing file keeps its permissions; a device or a named pipe is written directly.
 *
 * @param force is aborted just before the process exits
 * @throws CliError OUTPUT_UNWRITABLE
 */
export const writeFileOfParts = async (file: string, parts: Parts, force: AbortSignal): Promise<void> => {
  const target = await realpath(file).catch(() => resolve(file))
  const existing = await stat(target).catch(() => null)
  if (existing !== null && !existing.isFile()) return writeParts(file, target, 'w', 0o666, parts)
  const partial = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}.partial`)
  const remove = () => rmSync(partial, { force: true })
  force.addEventListener('abort', remove)
  try {
    await writeParts(file, partial, 'wx', existing === null ? 0o666 : existing.mode & 0o777, parts)
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  } finally {
    force.removeEventListener('abort', remove)
  }
}

const writeParts = async (
  file: string,
  path: string,
  flags: string,
  mode: number,
  parts: Parts,
): Promise<void> => {
  const handle = await open(path, flags, mode).catch(error => {
    throw new CliError('OUTPUT_UNWRITABLE', `\`${file}\` cannot be written: ${messageOf(error)}`, {
      hint: 'choose another file with `--output`',
      cause: error,
    })
  })
  try {
    for await (const part of parts) await handle.appendFile(part)
  } finally {
    await handle.close()
  }
}
