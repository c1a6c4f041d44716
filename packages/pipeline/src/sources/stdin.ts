import type { Readable } from 'node:stream'
import { Deliveries, unlessAborted } from './deliveries.ts'
import type { Entry } from './export/entry.ts'
import { apiFields } from './export/fields.ts'
import { jsonlEntries } from './export/jsonl.ts'
import { type Found, resultsOf } from './reader.ts'
import { productsIn } from './record/answer.ts'
import type { Source } from './source.ts'

export interface StdinSourceOptions {
  /** What is read to its end, such as `process.stdin`. */
  readonly input: Readable
  /** How many products to deliver at most. */
  readonly limit?: number | undefined
}

/**
 * Products from JSON lines: records (as a dry run writes them), products in the form of Open Food Facts' API, or whole
 * answers of it. A line that is no product is skipped and told, with its number; records keep their own source.
 *
 * The end of the run closes the input.
 */
export const stdinSource = ({ input, limit }: StdinSourceOptions): Source => ({
  name: 'stdin',
  run: run =>
    unlessAborted(run, async () => {
      const deliveries = new Deliveries(run, limit)
      // A terminal or a pipe gives nothing for hours: an abort must not wait for it.
      const close = () => input.destroy()
      run.signal.addEventListener('abort', close, { once: true })
      try {
        for await (const entries of jsonlEntries(input, answerFields)) {
          await deliveries.take(resultsOf(entries.flatMap(found), { source: 'stdin', site: null }))
          if (deliveries.isOver()) break
        }
      } finally {
        run.signal.removeEventListener('abort', close)
        await deliveries.landed()
      }
    }),
})

const answerFields = { ...apiFields, product: apiFields, products: true } as const

const found = (entry: Entry): readonly Found[] => {
  const address = `stdin:${entry.place}`
  if ('problem' in entry) return [{ address, problem: entry.problem }]
  return productsIn(entry.value).map(value => ({ address, value }))
}
