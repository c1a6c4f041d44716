/** No honest product is as long; a hostile one must not fill the memory. */
const longestLine = 16 * 1024 * 1024

const newline = 0x0a

/** A line whose end has not come yet, as another cutter can take it over. */
export interface BegunLine {
  /** Let go where it is too long. */
  readonly parts: readonly Uint8Array[]
  readonly bytes: number
}

/** Cuts a stream of bytes into lines, without copying but for the line that goes over the edge of a chunk. */
export class LineCutter {
  /** The beginning of a line whose end has not come yet. */
  private begun: Uint8Array[]
  private begunBytes: number
  private readonly longest: number

  /** @param longest bytes of the longest line that is kept */
  constructor(longest = longestLine, { parts, bytes }: BegunLine = { parts: [], bytes: 0 }) {
    this.longest = longest
    this.begun = [...parts]
    this.begunBytes = bytes
  }

  /** The lines that end in `chunk`, in their order, without their ends; null for one that is too long. */
  readonly cut = (chunk: Buffer): readonly (Buffer | null)[] => {
    const lines: (Buffer | null)[] = []
    let from = 0
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      lines.push(this.finish(chunk.subarray(from, at)))
      from = at + 1
    }
    this.begin(chunk.subarray(from))
    return lines
  }

  /** The last line, where the stream does not end with a line's end. */
  readonly rest = (): readonly (Buffer | null)[] =>
    this.begunBytes === 0 ? [] : [this.finish(Buffer.alloc(0))]

  readonly begunLine = (): BegunLine => ({ parts: this.begun, bytes: this.begunBytes })

  private readonly begin = (part: Buffer): void => {
    this.begunBytes += part.length
    if (this.begunBytes > this.longest) this.begun = []
    else if (part.length > 0) this.begun.push(part)
  }

  private readonly finish = (end: Buffer): Buffer | null => {
    if (this.begunBytes === 0) return end.length > this.longest ? null : end
    this.begin(end)
    const line = this.begunBytes > this.longest ? null : Buffer.concat(this.begun)
    this.begun = []
    this.begunBytes = 0
    return line
  }
}
