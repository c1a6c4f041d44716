import type { Batch } from '@offstream/pipeline'
import { printable } from '../format.ts'
import type { Cell, Output } from '../output.ts'
import { type RowFormat, textOf } from './rows.ts'

/** The number of rows in memory at a time. The first block determines the widths of the columns. */
const blockRows = 1_000

/** Aligned columns. A longer value after the first block makes its column wider from that block on. */
export const table = ({ table: draw, dataWidth }: Pick<Output, 'table' | 'dataWidth'>): RowFormat =>
  async function* (batches) {
    let widest: readonly string[] | null = null
    for await (const { head, rows } of blocksOf(batches)) {
      // From the second block on, the first line is drawn only for its widths.
      const drawn = draw(widest ?? head, rows.map(cells), dataWidth)
      yield `${widest === null ? drawn : drawn.slice(drawn.indexOf('\n') + 1)}\n`
      widest = rows.reduce(longerTexts, widest ?? head)
    }
  }

type TextRow = readonly (string | null)[]

interface Block {
  readonly head: readonly string[]
  readonly rows: readonly TextRow[]
}

async function* blocksOf(batches: AsyncIterable<Batch>): AsyncGenerator<Block, void, undefined> {
  let head: readonly string[] = []
  let rows: TextRow[] = []
  let isFirst = true
  for await (const batch of batches) {
    head = batch.columns.map(({ name }) => printable(name))
    rows.push(...textRows(batch))
    if (rows.length < blockRows) continue
    yield { head, rows }
    isFirst = false
    rows = []
  }
  if (isFirst || rows.length > 0) yield { head, rows }
}

const textRows = ({ columns, values, rowCount }: Batch): TextRow[] => {
  const texts = columns.map((column, index) => {
    const text = textOf(column)
    return (values[index] ?? []).map(value => {
      const shown = text(value)
      return shown === null ? null : printable(shown)
    })
  })
  return Array.from({ length: rowCount }, (_, row) => texts.map(column => column[row] ?? null))
}

const cells = (row: TextRow): Cell[] => row.map(text => text ?? { text: 'null', tone: 'dim' })

const longerTexts = (longest: readonly string[], row: TextRow): string[] =>
  longest.map((text, column) => {
    const other = row[column] ?? 'null'
    return other.length > text.length ? other : text
  })
