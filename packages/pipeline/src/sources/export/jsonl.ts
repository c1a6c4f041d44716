import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime/errors'
import type { JsonObject } from '../record/json.ts'
import type { Entry } from './entry.ts'
import { LineCutter } from './lines.ts'
import { Picker, type Wanted } from './pick.ts'

/** The objects of JSON lines, those of one chunk at a time. An empty line is nothing. */
export async function* jsonlEntries(
  chunks: AsyncIterable<Buffer>,
  wanted: Wanted,
): AsyncGenerator<readonly Entry[]> {
  const reader = new LineReader(wanted)
  for await (const chunk of chunks) yield reader.entries(chunk)
  yield reader.rest()
}

/** Reads the wanted members of JSON lines, chunk by chunk. An empty line is nothing. */
export class LineReader {
  private readonly cutter = new LineCutter()
  private readonly picker: Picker
  /** The number of the line at hand. */
  private place = 0

  constructor(wanted: Wanted) {
    this.picker = new Picker(wanted)
  }

  /** The lines that end in `chunk`. */
  readonly entries = (chunk: Buffer): Entry[] => this.read(this.cutter.cut(chunk))

  /** The last line, where the stream does not end with a line's end. */
  readonly rest = (): Entry[] => this.read(this.cutter.rest())

  private readonly read = (lines: readonly (Buffer | null)[]): Entry[] => {
    const entries: Entry[] = []
    for (const line of lines) {
      this.place += 1
      if (line === null) entries.push({ place: this.place, problem: 'the line is too long' })
      else if (!isBlank(line)) entries.push(this.entry(line))
    }
    return entries
  }

  private readonly entry = (line: Buffer): Entry => {
    const { place } = this
    if (!isUtf8(line)) return { place, problem: 'it is no UTF-8' }
    try {
      return { place, value: JSON.parse(this.picker.pick(line).toString('utf8')) as JsonObject }
    } catch (error) {
      return { place, problem: `it is no JSON: ${messageOf(error)}` }
    }
  }
}

const isBlank = (line: Buffer): boolean =>
  line.length === 0 || (line.length < 16 && line.toString('latin1').trim() === '')
