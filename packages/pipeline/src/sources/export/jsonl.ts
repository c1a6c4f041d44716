import { messageOf } from '@offstream/runtime'
import { apiFields } from './fields.ts'
import type { Entry } from './format.ts'
import { LineCutter } from './lines.ts'
import { Picker } from './pick.ts'

/** The products of JSON lines, those of one chunk at a time. An empty line is nothing. */
export async function* jsonlEntries(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Entry[]> {
  const cutter = new LineCutter()
  const reader = new LineReader()
  for await (const chunk of chunks) yield reader.entries(cutter.cut(chunk))
  yield reader.entries(cutter.rest())
}

class LineReader {
  private readonly picker = new Picker(apiFields)
  private line = 0

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
    try {
      return { place: this.line, value: this.picker.pick(line) }
    } catch (error) {
      return { place: this.line, problem: `it is no JSON: ${messageOf(error)}` }
    }
  }
}

const isBlank = (line: Buffer): boolean =>
  line.length === 0 || (line.length < 16 && line.toString('latin1').trim() === '')
