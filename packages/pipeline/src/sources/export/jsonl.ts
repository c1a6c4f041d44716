import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime/errors'
import { productsIn } from '../record/answer.ts'
import type { Entry } from './entry.ts'
import { type BegunLine, LineCutter } from './lines.ts'
import { Picker, type Wanted } from './pick.ts'

/** How far a reader has come, as another can go on from there, in another thread too. */
export interface LinePlace {
  /** Lines that were read. */
  readonly lines: number
  readonly begun: BegunLine
}

/**
 * Reads what is wanted of the products of JSON lines, chunk by chunk: products as the API and the exports have them,
 * records, and whole answers of the API. An empty line is nothing.
 */
export class LineReader {
  private readonly cutter: LineCutter
  private readonly picker: Picker
  private lines: number

  /**
   * @param wanted of a line: it may be a product, or an answer that holds one or some
   * @param from where another has ended, in the place of the beginning
   */
  constructor(wanted: Wanted, from?: LinePlace) {
    this.picker = new Picker(wanted)
    this.cutter = new LineCutter(undefined, from?.begun)
    this.lines = from?.lines ?? 0
  }

  /** What stands in the lines that end in `chunk`. */
  readonly entries = (chunk: Buffer): Entry[] => this.read(this.cutter.cut(chunk))

  /** What stands in the last line, where the stream does not end with a line's end. */
  readonly rest = (): Entry[] => this.read(this.cutter.rest())

  readonly place = (): LinePlace => ({ lines: this.lines, begun: this.cutter.begunLine() })

  private readonly read = (lines: readonly (Buffer | null)[]): Entry[] => {
    const entries: Entry[] = []
    for (const line of lines) {
      this.lines += 1
      if (line === null) entries.push({ place: this.lines, problem: 'the line is too long' })
      else this.readLine(withoutMark(line), entries)
    }
    return entries
  }

  private readonly readLine = (line: Buffer, entries: Entry[]): void => {
    const place = this.lines
    if (isBlank(line)) return
    if (!isUtf8(line)) {
      entries.push({ place, problem: 'it is no UTF-8' })
      return
    }
    try {
      const value: unknown = JSON.parse(this.picker.pick(line).toString('utf8'))
      for (const product of productsIn(value)) entries.push({ place, value: product })
    } catch (error) {
      entries.push({ place, problem: `it is no JSON: ${messageOf(error)}` })
    }
  }
}

/** Files that begin with a byte order mark, put one after the other, have it in the middle too. */
const withoutMark = (line: Buffer): Buffer =>
  line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line

const isBlank = (line: Buffer): boolean =>
  line.length === 0 || (line.length < 16 && line.toString('latin1').trim() === '')
