import type { Candidate } from '../../product/answer.ts'
import { type ReaderOptions, type ReadResult, resultsOf } from '../reader.ts'

/** A value that may be a product in the form of the API, a delete, or why it is skipped; `place` is its line or row. */
export type Entry = { readonly place: number } & Candidate

/** What is the same for all products of a file, and the filters of the request. */
export interface FileReaderOptions extends ReaderOptions {
  /** The file, as the user wrote it. */
  readonly name: string
}

/** The result of each entry; null for a filtered product. */
export const resultsIn = (entries: readonly Entry[], options: FileReaderOptions): (ReadResult | null)[] =>
  resultsOf(
    entries.map(entry => {
      const address = `${options.name}:${entry.place}`
      // Copying all members of an entry takes longer.
      return 'value' in entry ? { address, value: entry.value } : { ...entry, address }
    }),
    options,
  )
