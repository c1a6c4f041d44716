import type { Service } from './service.ts'

type Needing = Pick<Service, 'name' | 'needs'>

/** For each name, the names that must be done before it. */
export type Order = ReadonlyMap<string, readonly string[]>

/** A service starts after those that it needs. Needs outside of the set do not count: they run already or elsewhere. */
export const startOrder = (services: readonly Needing[]): Order => {
  const names = new Set(services.map(({ name }) => name))
  return new Map(services.map(({ name, needs }) => [name, needs.filter(need => names.has(need))]))
}

/** A service stops after those that need it. */
export const stopOrder = (services: readonly Needing[]): Order =>
  new Map(
    services.map(({ name }) => [
      name,
      services.filter(({ needs }) => needs.includes(name)).map(dependent => dependent.name),
    ]),
  )

/**
 * Calls `step` once for each name: as early as the order allows, and otherwise at the same time. If a step fails, those
 * after it are not called and fail with the same error.
 */
export const runInOrder = async (
  order: Order,
  step: (name: string) => Promise<void>,
): Promise<PromiseSettledResult<void>[]> => {
  const running = new Map<string, Promise<void>>()
  const run = (name: string): Promise<void> => {
    const known = running.get(name)
    if (known !== undefined) return known
    const done = Promise.all((order.get(name) ?? []).map(run)).then(() => step(name))
    running.set(name, done)
    return done
  }
  return Promise.allSettled([...order.keys()].map(run))
}
