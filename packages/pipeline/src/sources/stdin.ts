import type { Readable } from 'node:stream'
import type { PublishRules } from '../product/productOf.ts'
import { Deliveries, unlessAborted } from './deliveries.ts'
import { fileResults } from './export/format.ts'
import { pipeInput } from './export/input.ts'
import type { Source } from './source.ts'

/** Options of `stdinSource`. */
export interface StdinSourceOptions {
  /** Read to its end, for example `process.stdin`. */
  readonly input: Readable
  /** The maximum number of products to deliver. */
  readonly limit?: number | undefined
  readonly rules?: PublishRules | undefined
}

/**
 * Products from a pipe: JSON lines (records, as a dry run writes them, or products or responses of the API of Open Food
 * Facts) or CSV; either may be compressed with gzip. A line that is not a product is skipped and reported with its
 * number. Records keep their own source.
 *
 * The input is closed at the end of the run. `run` throws the same errors as `exportSource` for a file.
 */
export const stdinSource = ({ input, limit, rules }: StdinSourceOptions): Source => ({
  name: 'stdin',
  run: run =>
    unlessAborted(run, async () => {
      const pipe = pipeInput('stdin', input, run.signal)
      await new Deliveries(run, limit).deliverAll(fileResults(pipe, { source: 'stdin', site: null, rules }))
    }),
})
