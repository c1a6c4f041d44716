import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type OffstreamError, RuntimeError } from '../errors.ts'
import { sizeOf } from '../folderSize.ts'
import { acquireLock } from './lock.ts'
import { writeState } from './stateFile.ts'

/** A file as it must be. The committed lock file has one of these for every file that is downloaded. */
export interface LockedFile {
  readonly file: string
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes: number
}

/** The progress of one download. `bytes` may stay at `totalBytes` while files are unpacked. */
export interface FetchProgress {
  readonly artifact: string
  readonly bytes: number
  readonly totalBytes: number
}

/** What a caller of a download wants to know, and how it cancels it. */
export interface FetchOptions {
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** A folder that is filled once: its name for the user, its size, and how it is filled. */
export interface Artifact {
  readonly name: string
  readonly directory: string
  /** Compared with the free space, and the end of the progress bar. */
  readonly downloadBytes: number
  /** Space on the disk at the end, in addition to the download. */
  readonly installedBytes: number
  /** Fills the folder; `scratch` is for temporary files on the same disk. */
  readonly fill: (folders: { readonly directory: string; readonly scratch: string }) => Promise<void>
  /** Whether the folder can still be used although it was filled completely; otherwise it is filled again. */
  readonly isIntact?: (directory: string) => Promise<boolean>
}

const completeMark = '.complete.json'
const progressIntervalMs = 200
const lastLogLineCount = 12

/**
 * Makes sure that the artifact is in its folder, complete. Of several processes at the same time one downloads and the
 * others wait, until `signal` is aborted. What a killed download left is deleted first.
 *
 * @returns whether anything had to be downloaded
 * @throws OffstreamError DISK_FULL, and what `fill` throws
 */
export const ensureArtifact = async (artifact: Artifact, options: FetchOptions = {}): Promise<boolean> => {
  if (await isUsable(artifact)) return false
  options.signal?.throwIfAborted()
  await mkdir(artifact.directory, { recursive: true })
  await using _ = await acquireLock(artifactLock(artifact.directory), {
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: options.signal,
  })
  if (await isUsable(artifact)) return false
  await download(artifact, options)
  return true
}

const isUsable = async ({ directory, isIntact }: Artifact): Promise<boolean> =>
  (await isComplete(directory)) && (isIntact === undefined || (await isIntact(directory)))

const download = async (artifact: Artifact, { onProgress, signal }: FetchOptions): Promise<void> => {
  const { name, directory, downloadBytes } = artifact
  const scratch = `${directory}.partial`
  await removeArtifact(directory)
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  await mkdir(directory, { recursive: true })
  await refuseFullDisk(artifact)
  // Neither pip nor Ivy prints its progress in a form that stays the same across versions; the disk shows it.
  const timer = setInterval(async () => {
    const [partial, done] = await Promise.all([sizeOf(scratch, 'length'), sizeOf(directory, 'length')])
    const bytes = Math.min((partial ?? 0) + (done ?? 0), downloadBytes)
    onProgress?.({ artifact: name, bytes, totalBytes: downloadBytes })
  }, progressIntervalMs)
  try {
    await artifact.fill({ directory, scratch })
    signal?.throwIfAborted()
    await writeState(join(directory, completeMark), { name }, { mode: 0o644 })
    onProgress?.({ artifact: name, bytes: downloadBytes, totalBytes: downloadBytes })
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  } finally {
    clearInterval(timer)
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Whether an artifact was downloaded completely. */
export const isComplete = async (directory: string): Promise<boolean> =>
  access(join(directory, completeMark)).then(
    () => true,
    () => false,
  )

/** Deletes an artifact. If it is killed in the middle, what remains does not count as complete. */
export const removeArtifact = async (directory: string): Promise<void> => {
  await rm(join(directory, completeMark), { force: true })
  await rm(directory, { recursive: true, force: true })
}

/** The lock that a process holds while it downloads into `directory`. */
export const artifactLock = (directory: string): string => `${directory}.lock`

const refuseFullDisk = async (artifact: Artifact): Promise<void> => {
  const { name, directory, downloadBytes, installedBytes } = artifact
  const { bavail, bsize } = await statfs(directory)
  const required = downloadBytes + installedBytes
  if (bavail * bsize >= required) return
  throw new RuntimeError(
    'DISK_FULL',
    `${name} needs ${megabytes(required)} in \`${directory}\`, but only ${megabytes(bavail * bsize)} is free`,
    { hint: 'free some space, or set `OFFSTREAM_CACHE` to a folder on another disk' },
  )
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`

/** @returns the SHA-256 of a file, lower-case hexadecimal */
export const sha256Of = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** The files of a folder as the lock file has them, sorted by name. */
export const describeFiles = async (directory: string): Promise<LockedFile[]> => {
  const names = (await readdir(directory)).filter(name => !name.startsWith('.')).sort()
  return Promise.all(
    names.map(async file => ({
      file,
      sha256: await sha256Of(join(directory, file)),
      bytes: (await stat(join(directory, file))).size,
    })),
  )
}

/** How the files of a folder differ from the lock file. */
export type LockDifference =
  | { readonly kind: 'missing' | 'unknown'; readonly file: string }
  | { readonly kind: 'changed'; readonly file: string; readonly sha256: string; readonly expected: string }

/** Compares the files of a folder with the lock file, by hash. */
export const differencesFromLock = async (
  directory: string,
  locked: readonly LockedFile[],
): Promise<LockDifference[]> => {
  const found = new Map((await describeFiles(directory)).map(({ file, sha256 }) => [file, sha256]))
  const expected = new Set(locked.map(({ file }) => file))
  const wrong = locked.flatMap(({ file, sha256 }): LockDifference[] => {
    const actual = found.get(file)
    if (actual === undefined) return [{ kind: 'missing', file }]
    return actual === sha256 ? [] : [{ kind: 'changed', file, sha256: actual, expected: sha256 }]
  })
  const unknown = [...found.keys()].filter(file => !expected.has(file))
  return [...wrong, ...unknown.map(file => ({ kind: 'unknown' as const, file }))]
}

/**
 * Does nothing if a folder has exactly the files of the lock file.
 * @throws OffstreamError CHECKSUM_MISMATCH, which names each file that differs
 */
export const verifyFiles = async (
  name: string,
  directory: string,
  locked: readonly LockedFile[],
): Promise<void> => {
  const differences = await differencesFromLock(directory, locked)
  if (differences.length > 0) throw checksumMismatch(name, differences.map(sentenceOf).join('; '))
}

const sentenceOf = (difference: LockDifference): string => {
  const file = `\`${difference.file}\``
  if (difference.kind === 'changed')
    return `${file} has SHA-256 ${difference.sha256}, expected ${difference.expected}`
  return difference.kind === 'missing' ? `${file} is missing` : `${file} is not in the lock file`
}

/** What was downloaded differs from what the lock file expects. */
export const checksumMismatch = (name: string, what: string, output = ''): OffstreamError =>
  new RuntimeError('CHECKSUM_MISMATCH', `${name} differs from the lock file: ${what}`, {
    hint: 'download it again; if it differs again, do not trust the server that it comes from',
    lastLogLines: output === '' ? [] : output.trim().split('\n').slice(-lastLogLineCount),
  })

/** A tool that downloads for us failed; its last lines say why. */
export const downloadFailed = (name: string, tool: string, output: string, cause?: unknown): OffstreamError =>
  new RuntimeError('DOWNLOAD_FAILED', `${name} could not be downloaded: ${tool} failed`, {
    hint: `check the network, and the proxy and mirror settings of ${tool}, then try again`,
    lastLogLines: output.trim().split('\n').slice(-lastLogLineCount),
    cause,
  })
