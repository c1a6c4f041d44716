import type { Readable } from 'node:stream'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { fileResults } from './export/format.ts'
import { pipeInput } from './export/input.ts'
import type { Source } from './source.ts'

export interface StdinSourceOptions {
  /** What is read to its end, such as `process.stdin`. */
  readonly input: Readable
  /** How many products to deliver at most. */
  readonly limit?: number | undefined
}

/**
 * Products from a pipe: JSON lines, of records (as a dry run writes them), of products in the form of Open Food Facts'
 * API, or of whole answers of it; or CSV; either may be packed with gzip. A line that is no product is skipped and told,
 * with its number; records keep their own source.
 *
 * The end of the run closes the input. `run` throws what `exportSource` does for a file.
 */
export const stdinSource = ({ input, limit }: StdinSourceOptions): Source => ({
  name: 'stdin',
  run: run =>
    unlessAborted(run, async () => {
      const pipe = pipeInput('stdin', input, run.signal)
      await new Deliveries(run, limit).takeAll(fileResults(pipe, { source: 'stdin', site: null }))
    }),
})
