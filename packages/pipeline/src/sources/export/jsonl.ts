import { isUtf8 } from 'node:buffer'
import { messageOf } from '@offstream/runtime/errors'
import { productsIn } from '../../product/answer.ts'
import { Picker, type Wanted } from '../../product/pick.ts'
import type { Entry } from './entry.ts'
import { type Block, linesOf } from './lines.ts'

/**
 * Reads what is wanted of the products of JSON lines, block by block: products as the API and the exports have them,
 * records, and whole answers of the API. An empty line is nothing. Of one block it knows nothing of another.
 */
export class LineReader {
  private readonly picker: Picker

  /** @param wanted of a line: it may be a product, or an answer that holds one or some */
  constructor(wanted: Wanted) {
    this.picker = new Picker(wanted)
  }

  /** What stands in the lines of `blocks`. */
  readonly entries = (blocks: readonly Block[]): Entry[] => {
    const entries: Entry[] = []
    for (const block of blocks) {
      let place = block.before
      for (const line of linesOf(block)) {
        place += 1
        if (line === null) entries.push({ place, problem: 'the line is too long' })
        else this.readLine(withoutMark(line), place, entries)
      }
    }
    return entries
  }

  private readonly readLine = (line: Buffer, place: number, entries: Entry[]): void => {
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
