import { appendFileSync, fchmodSync, ftruncateSync, readSync, renameSync } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pause } from './until.ts'

/**
 * A log is one file that a program appends to, and older pieces of it. The name of a piece has the position of its first
 * byte (`bees.log.000010485760`). Positions count from the very beginning of the log, so they stay valid after any number
 * of rotations, and a reader needs nothing else.
 */
export interface LogPiece {
  readonly file: string
  /** Position of the first byte, and the position after the last one. */
  readonly begins: number
  readonly ends: number
}

export interface LogLimits {
  /** A larger file is rotated. If it is more than twice as large, only its last part is kept. */
  readonly maxBytes: number
  /** How many older pieces are kept; at least 1. */
  readonly keep: number
}

/** At most 50 MB for each log; an editor can still open a piece. */
const defaultLimits: LogLimits = { maxBytes: 10 * 1024 * 1024, keep: 4 }

/** One `stat` for each log. With a longer interval a program that repeats an error could write hundreds of MB. */
const defaultIntervalMs = 5_000

/** A piece may be written to until the file that it was copied from is empty; then it never changes again. */
const writable = 0o222
const blockBytes = 1024 * 1024

/** The pieces of a log, oldest first; the last one is the file that the program writes to, empty if it does not exist. */
export const piecesOf = async (file: string): Promise<[...LogPiece[], LogPiece]> => {
  let before = await sizeOf(file)
  for (;;) {
    const older = await olderPieces(file)
    const size = await sizeOf(file)
    if (size < before) {
      // It was rotated meanwhile: half of what we read is from before.
      before = size
      continue
    }
    const newest = older.at(-1)
    // For some microseconds both a new piece and the text that it was copied from exist.
    if (newest !== undefined && newest.ends - newest.begins <= size && (await isUnfinished(newest.file)))
      older.pop()
    const begins = older.at(-1)?.ends ?? 0
    return [...older, { file, begins, ends: begins + size }]
  }
}

/**
 * Rotates `file` if it is larger than `maxBytes`, and deletes the oldest pieces beyond `keep`. The program that writes to
 * it must have opened it for appending (O_APPEND), so that its next line is at the new beginning. The caller must not
 * rotate a log twice at the same time.
 *
 * The contents are copied, then the file is emptied: another program cannot be made to open another file, and a pipe to
 * us would break when we exit. What is written between the last read and the truncation is lost, always whole lines. On two busy cores: with 900 lines a second none in 100 rotations, with 600,000 a second
 * some in 5 of 100 (at worst 2,308 lines, when we lost the processor at that moment, otherwise up to 6). A kill between
 * the rename of the copy and the truncation leaves those lines in both.
 *
 * @returns whether it was rotated
 */
export const rotateLog = async (file: string, { maxBytes, keep }: LogLimits): Promise<boolean> => {
  const size = await sizeOf(file)
  if (size <= maxBytes) return false
  const older = await olderPieces(file)
  // The oldest is deleted first, so that a full disk has space for the copy.
  for (const piece of older.slice(0, Math.max(0, older.length - keep + 1)))
    await rm(piece.file, { force: true })
  const source = await open(file, 'r+')
  try {
    const from = size > 2 * maxBytes ? await lineAfter(source, size - maxBytes) : 0
    await cutOff(source, from, `${file}.copying`, pieceName(file, (older.at(-1)?.ends ?? 0) + from))
  } finally {
    await source.close()
  }
  return true
}

/**
 * Rotates every `*.log` of a folder when necessary, until `signal` is aborted. A log that cannot be rotated (the disk is
 * full, the file is another user's) is reported to `onProblem` once, and tried again.
 */
export const boundLogs = async (
  directory: string,
  {
    signal,
    onProblem,
    limits = defaultLimits,
    intervalMs = defaultIntervalMs,
  }: {
    readonly signal: AbortSignal
    readonly onProblem: (file: string, error: unknown) => void
    readonly limits?: LogLimits
    readonly intervalMs?: number
  },
): Promise<void> => {
  const reported = new Set<string>()
  while (!signal.aborted) {
    for (const name of await namesIn(directory)) {
      if (!name.endsWith('.log')) continue
      await rotateLog(join(directory, name), limits).then(
        () => reported.delete(name),
        error => {
          if (!reported.has(name)) onProblem(join(directory, name), error)
          reported.add(name)
        },
      )
    }
    await pause(intervalMs, signal)
  }
}

/** Copies `source` from position `from` to `copying`, renames that to `piece`, and empties `source`. */
const cutOff = async (source: FileHandle, from: number, copying: string, piece: string): Promise<void> => {
  const { mode } = await source.stat()
  const copy = await open(copying, 'w', mode)
  try {
    await copyAndEmpty(source, from, copy, () => renameSync(copying, piece))
    fchmodSync(copy.fd, mode & ~writable)
  } catch (error) {
    // Half a copy is of no use, and the disk may be full.
    await Promise.all([copying, piece].map(file => rm(file, { force: true })))
    throw error
  } finally {
    await copy.close()
  }
}

const copyAndEmpty = async (
  source: FileHandle,
  from: number,
  copy: FileHandle,
  nameCopy: () => void,
): Promise<void> => {
  const block = Buffer.alloc(blockBytes)
  let position = from
  for (;;) {
    const { bytesRead } = await source.read(block, 0, blockBytes, position)
    if (bytesRead === 0) break
    await copy.appendFile(block.subarray(0, bytesRead))
    position += bytesRead
  }
  nameCopy()
  // Synchronous from here on: a line that is written meanwhile is lost.
  for (;;) {
    const bytesRead = readSync(source.fd, block, 0, blockBytes, position)
    if (bytesRead === 0) break
    appendFileSync(copy.fd, block.subarray(0, bytesRead))
    position += bytesRead
  }
  ftruncateSync(source.fd)
}

/** The position of the first line that begins after `position`; `position` itself if no line begins nearby. */
const lineAfter = async (source: FileHandle, position: number): Promise<number> => {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(blockBytes), 0, blockBytes, position)
  return position + buffer.subarray(0, bytesRead).indexOf('\n') + 1
}

const positionDigits = 12

const pieceName = (file: string, begins: number): string =>
  `${file}.${String(begins).padStart(positionDigits, '0')}`

const olderPieces = async (file: string): Promise<LogPiece[]> => {
  const stem = `${basename(file)}.`
  const pieces = await Promise.all(
    (await namesIn(dirname(file))).map(async name => {
      const begins = name.startsWith(stem) ? name.slice(stem.length) : ''
      if (begins.length < positionDigits || !/^\d+$/.test(begins)) return []
      const piece = join(dirname(file), name)
      return [{ file: piece, begins: Number(begins), ends: Number(begins) + (await sizeOf(piece)) }]
    }),
  )
  return pieces.flat().sort((one, other) => one.begins - other.begins)
}

const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => [])

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0

const isUnfinished = async (file: string): Promise<boolean> =>
  (((await stat(file).catch(() => null))?.mode ?? 0) & writable) !== 0
