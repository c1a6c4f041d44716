import { type FileHandle, open } from 'node:fs/promises'
import { piecesOf } from './rotate.ts'

/** A longer line is cut, and the number of missing bytes is added. */
const maxLineBytes = 64 * 1024
const blockBytes = 64 * 1024
const newline = 0x0a

/** A line of a log. Positions count bytes from the very beginning of the log, as in `LogPiece`. */
export interface LogLine {
  readonly text: string
  /** Position of its first byte. */
  readonly begins: number
}

/** The end of a log: the position of the next byte. */
export const endOfLog = async (file: string): Promise<number> => (await piecesOf(file)).at(-1)?.ends ?? 0

/**
 * The last `count` lines of a log, oldest first; none if the log does not exist.
 * @param since only lines from this position on: `endOfLog` before the start of a program excludes earlier programs
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
 * The lines of a log that begin before `position`, newest first, some at a time. It reads no more than is requested and
 * keeps at most two blocks in memory, whatever the size of the log or of a line.
 */
export async function* linesBefore(file: string, position: number): AsyncGenerator<LogLine[]> {
  const line = new GrowingLine()
  let end = position
  let lastPosition = position
  for (;;) {
    const piece = (await piecesOf(file)).findLast(({ begins, ends }) => begins < end && begins < ends)
    if (piece === undefined || piece.ends < end) {
      // The beginning of the log, or `position` is after its end, or the next piece was deleted.
      if (line.bytes > 0) yield [line.take(end)]
      if (piece === undefined) return
      end = piece.ends
      lastPosition = end
    }
    const handle = await openIfThere(piece.file)
    if (handle === null) continue
    try {
      while (end > piece.begins) {
        const start = Math.max(piece.begins, end - blockBytes)
        const block = await readBlock(handle, start - piece.begins, end - start)
        // A rotation has emptied it: its text is in another file now.
        if (block.length < end - start) break
        const lines: LogLine[] = []
        let until = block.length
        for (let at = newlineBefore(block, until); at !== -1; at = newlineBefore(block, until)) {
          line.prepend(block.subarray(at + 1, until))
          // No line begins after the newline at the very end.
          if (start + at + 1 < lastPosition) lines.push(line.take(start + at + 1))
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
 * Reads a log from a position on. Each `read` continues where the last one stopped, also after rotations. A log that does
 * not exist yet is empty.
 */
export class LogReader {
  readonly #file: string
  readonly #line = new GrowingLine()
  #position: number
  #lineBegins: number

  constructor(file: string, position: number) {
    this.#file = file
    this.#position = position
    this.#lineBegins = position
  }

  /** The lines that are complete now, oldest first, some at a time. */
  async *read(): AsyncGenerator<LogLine[]> {
    const now = await piecesOf(this.#file)
    const goal = now.at(-1)?.ends ?? 0
    // A user emptied or deleted it.
    if (this.#position > goal) this.#jumpTo(now.at(-1)?.begins ?? 0)
    while (this.#position < goal) {
      const piece = (await piecesOf(this.#file)).find(({ ends }) => ends > this.#position)
      if (piece === undefined) return
      if (piece.begins > this.#position) {
        const rest = this.rest()
        if (rest !== null) yield [rest]
        this.#jumpTo(piece.begins)
      }
      const handle = await openIfThere(piece.file)
      if (handle === null) continue
      try {
        while (this.#position < goal) {
          const length = Math.min(blockBytes, goal - this.#position)
          const block = await readBlock(handle, this.#position - piece.begins, length)
          if (block.length === 0) break
          yield this.#split(block)
        }
      } finally {
        await handle.close()
      }
    }
  }

  /** The last line if no newline ends it yet, otherwise null; it counts as read. */
  rest(): LogLine | null {
    if (this.#line.bytes === 0) return null
    const rest = this.#line.take(this.#lineBegins)
    this.#lineBegins = this.#position
    return rest
  }

  #split(block: Buffer): LogLine[] {
    const lines: LogLine[] = []
    let from = 0
    for (let at = block.indexOf(newline); at !== -1; at = block.indexOf(newline, from)) {
      this.#line.append(block.subarray(from, at))
      lines.push(this.#line.take(this.#lineBegins))
      from = at + 1
      this.#lineBegins = this.#position + from
    }
    this.#line.append(block.subarray(from))
    this.#position += block.length
    return lines
  }

  #jumpTo(position: number): void {
    this.#line.take(position)
    this.#position = position
    this.#lineBegins = position
  }
}

/** A line that grows at either end; only the beginning of a huge line is kept. */
class GrowingLine {
  #start: Buffer = Buffer.alloc(0)
  bytes = 0

  append(more: Buffer): void {
    this.bytes += more.length
    if (this.#start.length < maxLineBytes) this.#set(this.#start, more)
  }

  prepend(more: Buffer): void {
    this.bytes += more.length
    this.#set(more, this.#start)
  }

  take(begins: number): LogLine {
    const missing = this.bytes - this.#start.length
    const text = this.#start.toString('utf8').replace(/\r$/, '')
    this.#start = Buffer.alloc(0)
    this.bytes = 0
    return { text: missing === 0 ? text : `${text} … ${missing} more bytes`, begins }
  }

  #set(first: Buffer, second: Buffer): void {
    const both = first.length === 0 ? second : second.length === 0 ? first : Buffer.concat([first, second])
    this.#start = both.subarray(0, maxLineBytes)
  }
}

const newlineBefore = (block: Buffer, until: number): number =>
  until === 0 ? -1 : block.lastIndexOf(newline, until - 1)

/** At most `length` bytes; fewer at the end of the file. */
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
