import { DocumentCutter } from './documents.ts'
import type { Entry } from './entry.ts'
import { LineReader } from './jsonl.ts'
import { lineFields } from './jsonlFile.ts'

/** Before each text of a JSON sequence (RFC 7464), which `jq --seq` writes. */
const recordSeparator = '\x1e'

/** Whether a text that starts so may be JSON. */
export const isJson = (start: string): boolean =>
  ['[', '{', recordSeparator].some(sign => start.startsWith(sign))

/**
 * Whether a text that starts so has one JSON object on each line. Only then its lines can be read in a thread, and a
 * damaged line is the smallest loss. Its first line may be damaged too, but pretty-printed JSON never ends a line in a
 * string.
 */
export const isJsonLines = (start: string): boolean => {
  if (!start.startsWith('{')) return false
  const end = start.indexOf('\n')
  if (end === -1) return true
  let depth = 0
  let isInString = false
  for (let at = 0; at < end; at += 1) {
    const sign = start[at]
    if (isInString) {
      if (sign === '\\') at += 1
      else if (sign === '"') isInString = false
    } else if (sign === '"') isInString = true
    else if (sign === '{' || sign === '[') depth += 1
    else if (sign === '}' || sign === ']') {
      depth -= 1
      if (depth === 0) return start.slice(at + 1, end).trim() === ''
    }
  }
  return isInString
}

/** The products of a JSON file that has not one object on each line, in batches. */
export async function* jsonEntries(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly Entry[]> {
  const cutter = new DocumentCutter()
  const reader = new LineReader(lineFields)
  const entriesOf = (chunk: Buffer, isLast: boolean): Entry[] => {
    const entries: Entry[] = []
    for (const document of cutter.take(chunk, isLast))
      if ('skippedBy' in document) entries.push(document)
      else reader.read(document.bytes, document.place, entries)
    return entries
  }
  for await (const chunk of chunks) yield entriesOf(chunk, false)
  yield entriesOf(Buffer.alloc(0), true)
}
