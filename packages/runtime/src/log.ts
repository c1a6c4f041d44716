import { type FileHandle, open } from 'node:fs/promises'
import { piecesOf } from './rotate.ts'

/** Bytes of a line that are given; of a longer one the rest is told as a number. */
const longestLine = 64 * 1024
const blockBytes = 64 * 1024
const newline = 0x0a

/** A line of a log, rotated or not. Places are bytes from the log's very beginning, as in `LogPiece`. */
export interface LogLine {
  readonly text: string
  /** Place of its first byte. */
  readonly begins: number
}

/** Where a log ends now: the place of the next byte. */
export const endOfLog = async (file: string): Promise<number> => (await piecesOf(file)).at(-1)?.ends ?? 0

/**
 * The last `count` lines of a log, oldest first; none where there is no such file.
 * @param since the place where they may begin: what `endOfLog` told before a program was started gives only its words
 */
export const lastLines = async (file: string, count: number, since = 0): Promise<string[]> => {
  const lines: string[] = []
  for await (const some of linesBefore(file, Number.POSITIVE_INFINITY)) {
    const recent = some.filter(({ begins }) => begins >= since)
    lines.push(...recent.map(({ text }) => text))
    if (recent.length < some.length || lines.length >= count) break
  }
  return lines.slice(0, count).reverse()
}

/**
 * The lines of a log that begin before `place`, newest first, some at a time. No more is read than is asked for, and
 * no more held than two blocks: the log may have any size, and so may a line.
 */
export async function* linesBefore(file: string, place: number): AsyncGenerator<LogLine[]> {
  const line = new GrowingLine()
  let end = place
  let lastPlace = place
  for (;;) {
    const piece = (await piecesOf(file)).findLast(({ begins, ends }) => begins < end && begins < ends)
    if (piece === undefined || piece.ends < end) {
      // The beginning; or `place` was behind the end; or what came after this piece was not kept.
      if (line.bytes > 0) yield [line.take(end)]
      if (piece === undefined) return
      end = piece.ends
      lastPlace = end
    }
    const handle = await openIfThere(piece.file)
    if (handle === null) continue
    try {
      while (end > piece.begins) {
        const start = Math.max(piece.begins, end - blockBytes)
        const block = await readBlock(handle, start - piece.begins, end - start)
        // A rotation has emptied it: what was in it lies in another file now.
        if (block.length < end - start) break
        const lines: LogLine[] = []
        let until = block.length
        for (let at = newlineBefore(block, until); at !== -1; at = newlineBefore(block, until)) {
          line.prepend(block.subarray(at + 1, until))
          // After the newline at the very end no line begins.
          if (start + at + 1 < lastPlace) lines.push(line.take(start + at + 1))
          until = at
        }
        line.prepend(block.subarray(0, until))
        end = start
        yield lines
      }
    } finally {
      await handle.close()
    }
  }
}

/**
 * Reads a log from a place on. Each `read` goes on where the last one ended, through whatever rotations there were
 * meanwhile; a file that is not there yet is an empty log.
 */
export class LogReader {
  readonly #file: string
  readonly #line = new GrowingLine()
  #place: number
  #lineBegins: number

  constructor(file: string, place: number) {
    this.#file = file
    this.#place = place
    this.#lineBegins = place
  }

  /** The lines that are complete by now, oldest first, some at a time. */
  async *read(): AsyncGenerator<LogLine[]> {
    const now = await piecesOf(this.#file)
    const goal = now.at(-1)?.ends ?? 0
    // Somebody emptied or removed it by hand.
    if (this.#place > goal) this.#jumpTo(now.at(-1)?.begins ?? 0)
    while (this.#place < goal) {
      const piece = (await piecesOf(this.#file)).find(({ ends }) => ends > this.#place)
      if (piece === undefined) return
      if (piece.begins > this.#place) {
        const rest = this.rest()
        if (rest !== null) yield [rest]
        this.#jumpTo(piece.begins)
      }
      const handle = await openIfThere(piece.file)
      if (handle === null) continue
      try {
        while (this.#place < goal) {
          const length = Math.min(blockBytes, goal - this.#place)
          const block = await readBlock(handle, this.#place - piece.begins, length)
          if (block.length === 0) break
          yield this.#split(block)
        }
      } finally {
        await handle.close()
      }
    }
  }

  /** The line at the end that no newline ends yet, if there is one; it counts as read. */
  rest(): LogLine | null {
    if (this.#line.bytes === 0) return null
    const rest = this.#line.take(this.#lineBegins)
    this.#lineBegins = this.#place
    return rest
  }

  #split(block: Buffer): LogLine[] {
    const lines: LogLine[] = []
    let from = 0
    for (let at = block.indexOf(newline); at !== -1; at = block.indexOf(newline, from)) {
      this.#line.append(block.subarray(from, at))
      lines.push(this.#line.take(this.#lineBegins))
      from = at + 1
      this.#lineBegins = this.#place + from
    }
    this.#line.append(block.subarray(from))
    this.#place += block.length
    return lines
  }

  #jumpTo(place: number): void {
    this.#line.take(place)
    this.#place = place
    this.#lineBegins = place
  }
}

/** A line that is put together from either end; of a huge one only the beginning is held. */
class GrowingLine {
  #start: Buffer = Buffer.alloc(0)
  bytes = 0

  append(more: Buffer): void {
    this.bytes += more.length
    if (this.#start.length < longestLine) this.#hold(this.#start, more)
  }

  prepend(more: Buffer): void {
    this.bytes += more.length
    this.#hold(more, this.#start)
  }

  take(begins: number): LogLine {
    const missing = this.bytes - this.#start.length
    const text = this.#start.toString('utf8').replace(/\r$/, '')
    this.#start = Buffer.alloc(0)
    this.bytes = 0
    return { text: missing === 0 ? text : `${text} … ${missing} more bytes`, begins }
  }

  #hold(first: Buffer, second: Buffer): void {
    const both = first.length === 0 ? second : second.length === 0 ? first : Buffer.concat([first, second])
    this.#start = both.subarray(0, longestLine)
  }
}

const newlineBefore = (block: Buffer, until: number): number =>
  until === 0 ? -1 : block.lastIndexOf(newline, until - 1)

/** As much of the `length` bytes as there is. */
const readBlock = async (handle: FileHandle, position: number, length: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const openIfThere = async (file: string): Promise<FileHandle | null> => {
  try {
    return await open(file, 'r')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
