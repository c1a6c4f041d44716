import { type ReaderOptions, type ReadResult, resultsOf } from '../reader.ts'

/** What may be a product, in the API's form, or what is wrong with it; `place` is its line, or its row. */
export type Entry =
  | { readonly place: number; readonly value: unknown }
  | { readonly place: number; readonly problem: string }

/** What is told of the products of a file, and wanted of them. */
export interface FileReaderOptions extends ReaderOptions {
  /** The file, as the person wrote it. */
  readonly name: string
}

/** What comes of each entry; null for what is not wanted. */
export const resultsIn = (entries: readonly Entry[], options: FileReaderOptions): (ReadResult | null)[] =>
  resultsOf(
    entries.map(({ place, ...found }) => ({ address: `${options.name}:${place}`, ...found })),
    options,
  )
