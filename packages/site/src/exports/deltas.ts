import type { CatalogueProduct } from '../catalogue.ts'

/** The products that changed within one day. */
export interface Delta {
  /** Holds the moments of its first and its last change, in seconds since 1970. */
  readonly name: string
  readonly products: readonly CatalogueProduct[]
}

const daySeconds = 86_400
const daysKept = 14

/**
 * The deltas of the last 14 days, the newest first; a day without a change has none. They end with the newest change
 * of the catalogue, not with today: what a site serves must not depend on when it is asked.
 */
export const deltasOf = (products: readonly CatalogueProduct[]): readonly Delta[] => {
  const byDay = new Map<number, CatalogueProduct[]>()
  for (const product of products) {
    const day = Math.floor(changedAt(product) / daySeconds)
    byDay.set(day, [...(byDay.get(day) ?? []), product])
  }
  const newest = Math.max(...byDay.keys())
  return [...byDay]
    .filter(([day]) => day > newest - daysKept && day > 0)
    .sort(([one], [other]) => other - one)
    .map(([, changed]) => {
      const inOrder = changed.toSorted((one, other) => changedAt(one) - changedAt(other))
      const [first, last] = [inOrder[0], inOrder.at(-1)].map(product => (product ? changedAt(product) : 0))
      return { name: `openfoodfacts_products_${first}_${last}.json.gz`, products: inOrder }
    })
}

/** When a product was last changed, in seconds since 1970; 0 where it does not tell. */
export const changedAt = ({ last_updated_t, last_modified_t }: CatalogueProduct): number =>
  last_updated_t ?? last_modified_t ?? 0
