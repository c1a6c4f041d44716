import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { access, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type OffstreamError, RuntimeError } from '../errors.ts'
import { acquireLock } from './lock.ts'
import { writeState } from './stateFile.ts'

/** A file as it must be; the committed lock holds one of these for every file that is fetched. */
export interface LockedFile {
  readonly file: string
  /** Lower-case hexadecimal. */
  readonly sha256: string
  readonly bytes: number
}

/** How far the fetching of one artifact is. `bytes` may stand still at `totalBytes` while things are unpacked. */
export interface FetchProgress {
  readonly artifact: string
  readonly bytes: number
  readonly totalBytes: number
}

export interface FetchOptions {
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

/** What is fetched into a folder: its name for the person, how much comes over the network, and the work itself. */
export interface Artifact {
  readonly name: string
  readonly directory: string
  /** Compared with the free space and shown as the end of the progress bar. */
  readonly downloadBytes: number
  /** What it takes on disk in the end, beside the download. */
  readonly installedBytes: number
  /** Fills the folder, using `scratch` for what is on its way; both are on one disk. */
  readonly fill: (folders: { readonly directory: string; readonly scratch: string }) => Promise<void>
}

const completeMark = '.complete.json'
const pollMs = 200

/**
 * Makes sure the artifact is in its folder, whole; does nothing where it is. Two processes asking at once: one
 * fetches, the other waits (`signal` ends that too). What was left half done by a kill is thrown away first.
 *
 * @returns whether anything had to be fetched.
 * @throws OffstreamError DISK_FULL, and what `fill` throws.
 */
export const ensureArtifact = async (artifact: Artifact, options: FetchOptions = {}): Promise<boolean> => {
  if (await isComplete(artifact.directory)) return false
  options.signal?.throwIfAborted()
  await mkdir(artifact.directory, { recursive: true })
  await using _ = await acquireLock(artifactLock(artifact.directory), {
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: options.signal,
  })
  if (await isComplete(artifact.directory)) return false
  await fetchWhole(artifact, options)
  return true
}

const fetchWhole = async (artifact: Artifact, { onProgress, signal }: FetchOptions): Promise<void> => {
  const { name, directory, downloadBytes } = artifact
  const scratch = `${directory}.partial`
  await rm(directory, { recursive: true, force: true })
  await rm(scratch, { recursive: true, force: true })
  await mkdir(scratch, { recursive: true })
  await mkdir(directory, { recursive: true })
  await refuseFullDisk(artifact)
  // Neither pip nor Ivy tells how far it is in a form that lasts over their versions; the disk does.
  const timer = setInterval(async () => {
    const bytes = Math.min((await sizeOf(scratch)) + (await sizeOf(directory)), downloadBytes)
    onProgress?.({ artifact: name, bytes, totalBytes: downloadBytes })
  }, pollMs)
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

/** Whether an artifact is in its folder, whole. */
export const isComplete = async (directory: string): Promise<boolean> =>
  access(join(directory, completeMark)).then(
    () => true,
    () => false,
  )

/** Removes an artifact; killed in the middle it leaves nothing that looks whole. */
export const removeArtifact = async (directory: string): Promise<void> => {
  await rm(join(directory, completeMark), { force: true })
  await rm(directory, { recursive: true, force: true })
}

/** The lock that a process holds while it downloads into `directory`. */
export const artifactLock = (directory: string): string => `${directory}.lock`

const refuseFullDisk = async ({
  name,
  directory,
  downloadBytes,
  installedBytes,
}: Artifact): Promise<void> => {
  const { bavail, bsize } = await statfs(directory)
  const needed = downloadBytes + installedBytes
  if (bavail * bsize >= needed) return
  throw new RuntimeError(
    'DISK_FULL',
    `${name} needs ${megabytes(needed)} under \`${directory}\`, where ${megabytes(bavail * bsize)} are free`,
    {
      hint: 'free some space, or set `OFFSTREAM_CACHE` to a folder on another disk',
    },
  )
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`

/** Bytes of all files below a folder that is changing under our eyes; what vanishes meanwhile counts nothing. */
const sizeOf = async (directory: string): Promise<number> => {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries.map(entry => {
      const path = join(directory, entry.name)
      return entry.isDirectory()
        ? sizeOf(path)
        : stat(path).then(
            ({ size }) => size,
            () => 0,
          )
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** @returns the digest of a file, lower-case hexadecimal. */
export const sha256Of = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** The files of a folder, as a lock would hold them, by name. */
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

/**
 * Compares a folder with what is locked: every file there, every digest right, nothing besides.
 * @throws OffstreamError CHECKSUM_MISMATCH, naming each file that differs.
 */
export const verifyFiles = async (
  name: string,
  directory: string,
  locked: readonly LockedFile[],
): Promise<void> => {
  const found = new Map((await describeFiles(directory)).map(file => [file.file, file]))
  const wrong = locked.flatMap(({ file, sha256 }) => {
    const actual = found.get(file)
    found.delete(file)
    if (actual === undefined) return [`\`${file}\` is missing`]
    return actual.sha256 === sha256 ? [] : [`\`${file}\` has SHA-256 ${actual.sha256}, locked is ${sha256}`]
  })
  const unknown = [...found.keys()].map(file => `\`${file}\` is not in the lock`)
  if (wrong.length + unknown.length === 0) return
  throw new RuntimeError(
    'CHECKSUM_MISMATCH',
    `${name} is not what was locked: ${[...wrong, ...unknown].join('; ')}`,
    {
      hint: 'fetch it again; where it differs again, do not trust the place it comes from',
    },
  )
}

/** A tool that fetches for us failed: its own last words say why. */
export const fetchFailed = (name: string, tool: string, output: string, cause?: unknown): OffstreamError =>
  new RuntimeError('DOWNLOAD_FAILED', `${name} could not be fetched: ${tool} failed`, {
    hint: 'check the network (a proxy or mirror is configured where the tool reads it), then try again',
    lastLogLines: output.trim().split('\n').slice(-12),
    cause,
  })
