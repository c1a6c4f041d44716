import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime/errors'
import { answerMembers, productsIn } from '../../product/answer.ts'
import { envelopeMembers } from '../../product/envelope.ts'
import { parseJson } from '../../product/parseJson.ts'
import { Picker, type Wanted } from '../../product/pick.ts'
import type { Entry } from './entry.ts'
import { type Block, linesOf } from './lines.ts'

/**
 * Reads the wanted members of JSON lines, block by block. A line is a product in the form of the API or the exports, a
 * record, or a response of the API. Empty lines are ignored. Blocks are independent of each other.
 */
export class LineReader {
  private readonly picker: Picker

  /** @param wanted the members of a line, which can be a product or a response with products */
  constructor(wanted: Wanted) {
    this.picker = new Picker(wanted, envelopeNames)
  }

  /** The entries of the lines of `blocks`. */
  readonly entries = (blocks: readonly Block[]): Entry[] => {
    const entries: Entry[] = []
    for (const block of blocks) {
      let place = block.before
      for (const line of linesOf(block)) {
        place += 1
        if (line === null) entries.push({ place, skippedBy: 'too-long', reason: 'the line is too long' })
        else this.read(withoutMark(line), place, entries)
      }
    }
    return entries
  }

  /** Adds the entries of one JSON value, whose bytes may have several lines. */
  readonly read = (line: Buffer, place: number, entries: Entry[]): void => {
    if (isBlank(line)) return
    if (!isUtf8(line)) {
      entries.push({ place, skippedBy: 'invalid-utf8', reason: 'it is not valid UTF-8' })
      return
    }
    try {
      const text = this.picker.pick(line).toString('utf8')
      const value = parseJson(text, this.picker.mayHaveNumericCode)
      if (!this.picker.mayBeEnvelope) {
        entries.push({ place, value })
        return
      }
      // Copying all members of a candidate takes longer.
      for (const candidate of productsIn(value))
        entries.push('value' in candidate ? { place, value: candidate.value } : { place, ...candidate })
    } catch (error) {
      entries.push({ place, skippedBy: 'invalid-json', reason: `it is not valid JSON: ${messageOf(error)}` })
    }
  }
}

const envelopeNames: ReadonlySet<string> = new Set([
  'product',
  'products',
  ...answerMembers,
  ...envelopeMembers,
])

/** Concatenated files may have a byte order mark in any line. */
const withoutMark = (line: Buffer): Buffer =>
  line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line

const isBlank = (line: Buffer): boolean =>
  line.length === 0 || (line.length < 16 && line.toString('latin1').trim() === '')
