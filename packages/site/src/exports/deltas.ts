import type { CatalogueProduct } from '../catalogue.ts'

/** The products that changed on one day. */
export interface Delta {
  /** Contains the times of the first and the last change, in seconds since 1970. */
  readonly name: string
  readonly products: readonly CatalogueProduct[]
}

const daySeconds = 86_400
const maxDays = 14

/**
 * The deltas of the last 14 days, the newest first. A day without a change has no delta. The last day is that of the
 * newest change, not today, because the content of a site must not depend on the time of the request.
 */
export const deltasOf = (products: readonly CatalogueProduct[]): readonly Delta[] => {
  const byDay = new Map<number, CatalogueProduct[]>()
  for (const product of products) {
    const day = Math.floor(changedAt(product) / daySeconds)
    byDay.set(day, [...(byDay.get(day) ?? []), product])
  }
  const newest = Math.max(...byDay.keys())
  return [...byDay]
    .filter(([day]) => day > newest - maxDays && day > 0)
    .sort(([one], [other]) => other - one)
    .map(([, changed]) => {
      const inOrder = changed.toSorted((one, other) => changedAt(one) - changedAt(other))
      const [first, last] = [inOrder[0], inOrder.at(-1)].map(product => (product ? changedAt(product) : 0))
      return { name: `openfoodfacts_products_${first}_${last}.json.gz`, products: inOrder }
    })
}

/** The time of a product's last change, in seconds since 1970; 0 if unknown. */
export const changedAt = ({ last_updated_t, last_modified_t }: CatalogueProduct): number =>
  last_updated_t ?? last_modified_t ?? 0
