import { DocumentCutter } from './documents.ts'
import type { Entry } from './entry.ts'
import { LineReader } from './jsonl.ts'
import { lineFields } from './jsonlFile.ts'

/** Before each text of a JSON sequence (RFC 7464), which `jq --seq` writes. */
const recordSeparator = '\x1e'

/** Whether a text with this start may be JSON. */
export const isJson = (start: string): boolean =>
  ['[', '{', recordSeparator].some(sign => start.startsWith(sign))

/** Like `isJson`, but the first line may be damaged or a message of another program. A web page with JSON is not JSON. */
export const containsJson = (start: string): boolean =>
  isJson(start) || (!/^<(?:[!?]|(?:html|head|body)\b)/i.test(start) && /\n\s*\{\s*"/.test(start))

/**
 * Whether a text with this start has one JSON object on each line, as its first line does. Only such files can be read in a
 * thread.
 */
export const isJsonLines = (start: string): boolean => {
  if (!start.startsWith('{')) return false
  const end = start.indexOf('\n')
  if (end === -1) return true
  try {
    // An empty object may be the damaged start of one with several lines.
    return Object.keys(JSON.parse(start.slice(0, end))).length > 0
  } catch {
    return false
  }
}

/** The products of a JSON file whose objects span lines or share one, in batches. */
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
