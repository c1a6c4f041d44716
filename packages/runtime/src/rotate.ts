import { appendFileSync, fchmodSync, ftruncateSync, readSync, renameSync } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A log is one file that a program appends to, and the older pieces that were cut off it. A piece is named by the
 * place of its first byte (`bees.log.000010485760`), so a place, counted in bytes from the log's very beginning,
 * means the same byte before and after any number of rotations: a reader has to know of nothing else.
 */
export interface LogPiece {
  readonly file: string
  /** Place of the first byte, and the place after the last. */
  readonly begins: number
  readonly ends: number
}

export interface LogLimits {
  /** A file that has grown beyond this is cut off. Of one that outgrew twice this, only the last part is kept. */
  readonly largestBytes: number
  /** How many pieces are kept beside the file that is written to; at least 1. */
  readonly keep: number
}

/** 50 MB a log: less for a whole stack than its programs take themselves, and an editor still opens a piece. */
const defaultLimits: LogLimits = { largestBytes: 10 * 1024 * 1024, keep: 4 }

/** A look is one `stat` a log. Were it rarer, a program that repeats an error in a circle would write hundreds of MB. */
const lookEveryMs = 5_000

/** A piece may be written to until the file that it was copied from is empty; then it never changes again. */
const writable = 0o222
const blockBytes = 1024 * 1024

/** The pieces of a log, oldest first; the last is the file that is written to, empty where there is none yet. */
export const piecesOf = async (file: string): Promise<[...LogPiece[], LogPiece]> => {
  let before = await sizeOf(file)
  for (;;) {
    const older = await olderPieces(file)
    const size = await sizeOf(file)
    if (size < before) {
      // It was cut off in the middle of our look: half of what we saw is older than that.
      before = size
      continue
    }
    const newest = older.at(-1)
    // For some microseconds a new piece and all that it is a copy of are there both.
    if (newest !== undefined && newest.ends - newest.begins <= size && (await isUnfinished(newest.file)))
      older.pop()
    const begins = older.at(-1)?.ends ?? 0
    return [...older, { file, begins, ends: begins + size }]
  }
}

/**
 * Cuts off what is in `file` where that is more than `largestBytes`, and removes the oldest pieces beyond `keep`.
 * The program that writes to it notices nothing, but must have opened it for appending (O_APPEND), so that its next
 * line lands at the new beginning. One rotation of a log at a time: that is the caller's to see to.
 *
 * The contents are copied, then the file is emptied, since a program that is not ours can't be told to open another
 * file, and a pipe to us would break when we end. What is written between the last look for more and the emptying is
 * lost, whole lines of it. On two busy cores: with 900 lines a second none in 100 rotations, with 600,000 a second
 * some in 5 of 100 (2,308 lines in the worst, when we lost the processor just then, else up to 6). A kill between the
 * naming of the copy and the emptying leaves those lines in both.
 *
 * @returns whether it was cut off
 */
export const rotateLog = async (file: string, { largestBytes, keep }: LogLimits): Promise<boolean> => {
  const size = await sizeOf(file)
  if (size <= largestBytes) return false
  const older = await olderPieces(file)
  // The oldest goes first, so that a full disk has room for the copy.
  for (const piece of older.slice(0, Math.max(0, older.length - keep + 1)))
    await rm(piece.file, { force: true })
  const source = await open(file, 'r+')
  try {
    const from = size > 2 * largestBytes ? await lineAfter(source, size - largestBytes) : 0
    await cutOff(source, from, `${file}.copying`, pieceName(file, (older.at(-1)?.ends ?? 0) + from))
  } finally {
    await source.close()
  }
  return true
}

/**
 * Rotates every `*.log` of a folder whenever it is due, until `signal` is aborted. A log that can't be rotated (the
 * disk is full, the file is another user's) is told to `onProblem`, once, and tried again.
 */
export const boundLogs = async (
  directory: string,
  {
    signal,
    onProblem,
    limits = defaultLimits,
    intervalMs = lookEveryMs,
  }: {
    readonly signal: AbortSignal
    readonly onProblem: (file: string, error: unknown) => void
    readonly limits?: LogLimits
    readonly intervalMs?: number
  },
): Promise<void> => {
  const told = new Set<string>()
  while (!signal.aborted) {
    for (const name of await namesIn(directory)) {
      if (!name.endsWith('.log')) continue
      await rotateLog(join(directory, name), limits).then(
        () => told.delete(name),
        error => {
          if (!told.has(name)) onProblem(join(directory, name), error)
          told.add(name)
        },
      )
    }
    await pause(intervalMs, undefined, { signal, ref: false }).catch(() => undefined)
  }
}

/** Copies `source` from the place `from` on to `copying`, gives that the name `piece`, and empties `source`. */
const cutOff = async (source: FileHandle, from: number, copying: string, piece: string): Promise<void> => {
  const { mode } = await source.stat()
  const copy = await open(copying, 'w', mode)
  try {
    await copyAndEmpty(source, from, copy, () => renameSync(copying, piece))
    fchmodSync(copy.fd, mode & ~writable)
  } catch (error) {
    // Half a copy is worth nothing, and the disk may be full.
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
  let place = from
  for (;;) {
    const { bytesRead } = await source.read(block, 0, blockBytes, place)
    if (bytesRead === 0) break
    await copy.appendFile(block.subarray(0, bytesRead))
    place += bytesRead
  }
  nameCopy()
  // No pause from here on: each microsecond is one in which a line can be lost.
  for (;;) {
    const bytesRead = readSync(source.fd, block, 0, blockBytes, place)
    if (bytesRead === 0) break
    appendFileSync(copy.fd, block.subarray(0, bytesRead))
    place += bytesRead
  }
  ftruncateSync(source.fd)
}

/** The place of the first line that begins after `place`; `place` itself where none does nearby. */
const lineAfter = async (source: FileHandle, place: number): Promise<number> => {
  const { buffer, bytesRead } = await source.read(Buffer.alloc(blockBytes), 0, blockBytes, place)
  return place + buffer.subarray(0, bytesRead).indexOf('\n') + 1
}

const placeDigits = 12

const pieceName = (file: string, begins: number): string =>
  `${file}.${String(begins).padStart(placeDigits, '0')}`

const olderPieces = async (file: string): Promise<LogPiece[]> => {
  const stem = `${basename(file)}.`
  const pieces = await Promise.all(
    (await namesIn(dirname(file))).map(async name => {
      const begins = name.startsWith(stem) ? name.slice(stem.length) : ''
      if (begins.length < placeDigits || !/^\d+$/.test(begins)) return []
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
