/** No honest product is as long; a hostile one must not fill the memory. */
const longestLine = 16 * 1024 * 1024

const newline = 0x0a

/** Whole lines that stand one after the other in a file: nothing more has to be known to read them, and in any order. */
export interface Block {
  /** With their ends, but for that of the last; null in the place of one line that is too long. */
  readonly bytes: Uint8Array | null
  /** How many lines stand before them in the file. */
  readonly before: number
}

/** Cuts a stream of bytes into blocks, without copying but for the line that goes over the edge of a chunk. */
export class BlockCutter {
  /** The beginning of a line whose end has not come yet; let go where it is too long. */
  private begun: Buffer[] = []
  private begunBytes = 0
  private lines = 0
  private readonly longest: number

  /** @param longest bytes of the longest line that is kept */
  constructor(longest = longestLine) {
    this.longest = longest
  }

  /** The lines that end in `chunk`: one that began before it, then those that lie in it and share its memory. */
  readonly cut = (chunk: Buffer): Block[] => {
    const blocks: Block[] = []
    const first = this.begunBytes === 0 ? -1 : chunk.indexOf(newline)
    const last = chunk.lastIndexOf(newline)
    if (first !== -1) blocks.push(this.finish(chunk.subarray(0, first)))
    if (last > first) blocks.push(this.whole(chunk.subarray(first + 1, last + 1)))
    // Copied: whoever reads the blocks may be given the memory of the chunk.
    this.begin(Buffer.from(chunk.subarray(last + 1)))
    return blocks
  }

  /** The last line, where the stream does not end with a line's end. */
  readonly rest = (): Block[] => (this.begunBytes === 0 ? [] : [this.finish(Buffer.alloc(0))])

  private readonly begin = (part: Buffer): void => {
    this.begunBytes += part.length
    if (this.begunBytes > this.longest) this.begun = []
    else if (part.length > 0) this.begun.push(part)
  }

  private readonly finish = (end: Buffer): Block => {
    this.begin(end)
    const bytes = this.begunBytes > this.longest ? null : Buffer.concat(this.begun)
    this.begun = []
    this.begunBytes = 0
    this.lines += 1
    return { bytes, before: this.lines - 1 }
  }

  private readonly whole = (bytes: Buffer): Block => {
    const before = this.lines
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) this.lines += 1
    return { bytes, before }
  }
}

/** The lines of a block, without their ends; null for one that is longer than `longest` bytes. */
export const linesOf = ({ bytes }: Block, longest = longestLine): (Buffer | null)[] => {
  if (bytes === null) return [null]
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const lines: (Buffer | null)[] = []
  for (let from = 0; from < all.length; ) {
    const found = all.indexOf(newline, from)
    const end = found === -1 ? all.length : found
    lines.push(end - from > longest ? null : all.subarray(from, end))
    from = end + 1
  }
  return lines
}
