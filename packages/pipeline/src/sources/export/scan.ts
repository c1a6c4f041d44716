import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime/errors'
import { LineCutter } from './lines.ts'
import { Picker, type Wanted } from './pick.ts'

/** Lines of JSON of which the wanted members were picked, ready to be parsed. */
export interface Scanned {
  /** The picked objects, one after the other. */
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lines: readonly ScannedLine[]
}

/** A line by its number: where its object ends in `bytes`, which begins where the one before ends; or its problem. */
export type ScannedLine =
  | { readonly place: number; readonly end: number }
  | { readonly place: number; readonly problem: string }

/** Cuts a stream of JSON lines, and picks the wanted members of each. An empty line is nothing. */
export class LineScanner {
  private readonly cutter = new LineCutter()
  private readonly picker: Picker
  /** The number of the line at hand. */
  private place = 0
  /** What is picked of one chunk is about as long as what was picked of the one before. */
  private usualBytes = 64 * 1024

  constructor(wanted: Wanted) {
    this.picker = new Picker(wanted)
  }

  /** The lines that end in `chunk`. */
  readonly scan = (chunk: Buffer): Scanned => this.scanned(this.cutter.cut(chunk))

  /** The last line, where the stream does not end with a line's end. */
  readonly rest = (): Scanned => this.scanned(this.cutter.rest())

  private readonly scanned = (cut: readonly (Buffer | null)[]): Scanned => {
    const lines: ScannedLine[] = []
    let bytes = Buffer.allocUnsafeSlow(this.usualBytes)
    let end = 0
    for (const line of cut) {
      this.place += 1
      const { place } = this
      if (line === null) lines.push({ place, problem: 'the line is too long' })
      else if (isBlank(line)) continue
      else if (!isUtf8(line)) lines.push({ place, problem: 'it is no UTF-8' })
      else {
        const picked = this.picked(line)
        if (typeof picked === 'string') lines.push({ place, problem: picked })
        else {
          if (end + picked.length > bytes.length) bytes = larger(bytes, end + picked.length)
          end += picked.copy(bytes, end)
          lines.push({ place, end })
        }
      }
    }
    this.usualBytes = Math.max(end, 1024)
    return { bytes: bytes.subarray(0, end), lines }
  }

  /** In words, why there is no object. */
  private readonly picked = (line: Buffer): Buffer | string => {
    try {
      return this.picker.pick(line)
    } catch (error) {
      return notJson(error)
    }
  }
}

export const notJson = (error: unknown): string => `it is no JSON: ${messageOf(error)}`

const larger = (bytes: Buffer, atLeast: number): Buffer<ArrayBuffer> => {
  const grown = Buffer.allocUnsafeSlow(Math.max(atLeast, bytes.length * 2))
  bytes.copy(grown)
  return grown
}

const isBlank = (line: Buffer): boolean =>
  line.length === 0 || (line.length < 16 && line.toString('latin1').trim() === '')
