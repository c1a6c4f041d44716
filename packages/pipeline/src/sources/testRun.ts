import type { Removal } from '../product/message.ts'
import type { Product } from '../product/product.ts'
import type { Source, SourceEvent, SourceRun } from './source.ts'

/** Everything that a source gave. */
export interface Taken {
  readonly products: readonly Product[]
  readonly removals: readonly Removal[]
  readonly skipped: readonly (readonly [address: string, reason: string])[]
  readonly events: readonly SourceEvent[]
  /** The error of the run; null if it succeeded. */
  readonly error: unknown
}

/** What a test replaces in a run. */
interface TestRun extends Partial<Omit<SourceRun, 'deliver'>> {
  readonly deliver?: (product: Product) => Promise<unknown>
}

/** Runs a source to its end. Every delivery succeeds at once, unless `run` replaces `deliver`. */
export const taken = async (source: Source, { deliver, ...run }: TestRun = {}): Promise<Taken> => {
  const products: Product[] = []
  const removals: Removal[] = []
  const events: SourceEvent[] = []
  const error = await source
    .run({
      deliver: async ({ json }) => {
        const product = JSON.parse(String(json))
        if (deliver === undefined) products.push(product)
        else await deliver(product)
        return undefined
      },
      remove: async removal => void removals.push(removal),
      report: event => events.push(event),
      signal: new AbortController().signal,
      ...run,
    })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    )
  const skipped = events.flatMap(event =>
    event.kind === 'skipped' ? [[event.address, event.reason] as const] : [],
  )
  return { products, removals, skipped, events, error }
}
