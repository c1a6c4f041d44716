import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime'
import { apiFields } from './fields.ts'
import type { Entry } from './format.ts'
import { LineCutter } from './lines.ts'
import { Picker, type Wanted } from './pick.ts'

/**
 * The objects of JSON lines, those of one chunk at a time. An empty line is nothing.
 * @param wanted the members that are read
 */
export async function* jsonlEntries(
  chunks: AsyncIterable<Buffer>,
  wanted: Wanted = apiFields,
): AsyncGenerator<readonly Entry[]> {
  const cutter = new LineCutter()
  const reader = new LineReader(wanted)
  for await (const chunk of chunks) yield reader.entries(cutter.cut(chunk))
  yield reader.entries(cutter.rest())
}

class LineReader {
  private readonly picker: Picker
  private line = 0

  constructor(wanted: Wanted) {
    this.picker = new Picker(wanted)
  }

  readonly entries = (lines: readonly (Buffer | null)[]): readonly Entry[] => {
    const entries: Entry[] = []
    for (const line of lines) {
      this.line += 1
      if (line === null) entries.push({ place: this.line, problem: 'the line is too long' })
      else if (!isBlank(line)) entries.push(this.entry(line))
    }
    return entries
  }

  private readonly entry = (line: Buffer): Entry => {
    if (!isUtf8(line)) return { place: this.line, problem: 'it is no UTF-8' }
    try {
      return { place: this.line, value: this.picker.pick(line) }
    } catch (error) {
      return { place: this.line, problem: `it is no JSON: ${messageOf(error)}` }
    }
  }
}

const isBlank = (line: Buffer): boolean =>
  line.length === 0 || (line.length < 16 && line.toString('latin1').trim() === '')
