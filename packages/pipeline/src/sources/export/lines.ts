/** Real products are shorter; a hostile one must not fill the memory. */
const maxLineBytes = 16 * 1024 * 1024

const newline = 0x0a

/** Consecutive complete lines of a file. Blocks can be read in any order. */
export interface Block {
  /** The lines with their line ends; null for one line that is too long. */
  readonly bytes: Uint8Array | null
  /** How many lines of the file come before. */
  readonly before: number
}

/** Cuts a stream of bytes into blocks. Only lines that span two chunks are copied. */
export class BlockCutter {
  /** The start of a line whose end has not arrived; dropped if the line is too long. */
  private started: Buffer[] = []
  private startedBytes = 0
  private lines = 0
  private readonly maxBytes: number

  /** @param maxBytes the maximum length of a line */
  constructor(maxBytes = maxLineBytes) {
    this.maxBytes = maxBytes
  }

  /** The lines that end in `chunk`: one that started before, then those inside it, which share its memory. */
  readonly cut = (chunk: Buffer): Block[] => {
    const blocks: Block[] = []
    const first = this.startedBytes === 0 ? -1 : chunk.indexOf(newline)
    const last = chunk.lastIndexOf(newline)
    if (first !== -1) blocks.push(this.finish(chunk.subarray(0, first)))
    if (last > first) blocks.push(this.whole(chunk.subarray(first + 1, last + 1)))
    // Copied, because the memory of the chunk may be transferred to the reader of the blocks.
    this.keep(Buffer.from(chunk.subarray(last + 1)))
    return blocks
  }

  /** The last line, if the stream does not end with a line end. */
  readonly rest = (): Block[] => (this.startedBytes === 0 ? [] : [this.finish(Buffer.alloc(0))])

  private readonly keep = (part: Buffer): void => {
    this.startedBytes += part.length
    if (this.startedBytes > this.maxBytes) this.started = []
    else if (part.length > 0) this.started.push(part)
  }

  private readonly finish = (end: Buffer): Block => {
    this.keep(end)
    const bytes = this.startedBytes > this.maxBytes ? null : Buffer.concat(this.started)
    this.started = []
    this.startedBytes = 0
    this.lines += 1
    return { bytes, before: this.lines - 1 }
  }

  private readonly whole = (bytes: Buffer): Block => {
    const before = this.lines
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) this.lines += 1
    return { bytes, before }
  }
}

/** The lines of a block without line ends; null for a line of more than `maxBytes`. */
export const linesOf = ({ bytes }: Block, maxBytes = maxLineBytes): (Buffer | null)[] => {
  if (bytes === null) return [null]
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lines: (Buffer | null)[] = []
  for (let from = 0; from < all.length; ) {
    const found = all.indexOf(newline, from)
    const end = found === -1 ? all.length : found
    lines.push(end - from > maxBytes ? null : all.subarray(from, end))
    from = end + 1
  }
  return lines
}
