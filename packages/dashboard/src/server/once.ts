import { pause } from '@offstream/runtime'

/** Results that are remembered for one version. */
const maxResults = 200
/** The pause after repeated work, as a multiple of its duration. */
const restFactor = 9
/** Pauses that are shorter than this in total are not made: they matter only if the versions do not stop. */
const defaultSparedMs = 15_000

/**
 * Does each piece of work once per version of what it depends on, one piece at a time, for all viewers. Versions may follow
 * each other quickly, so work that is repeated for a long time rests in between; new work does not.
 */
export class Once {
  readonly #version: () => unknown
  #known: { version: unknown; results: Map<string, Promise<unknown>> } = { version: null, results: new Map() }
  /** The keys of the previous version. */
  #repeated: ReadonlySet<string> = new Set()
  #last: Promise<unknown> = Promise.resolve()
  #restUntil = 0
  readonly #sparedMs: number

  /** @param version what the results depend on, such as the version of a table */
  constructor(version: () => unknown, sparedMs = defaultSparedMs) {
    this.#version = version
    this.#sparedMs = sparedMs
  }

  /** The result of `work` for the current version. Failed work is repeated at the next call. */
  get<T>(key: string, work: () => Promise<T>): Promise<T> {
    const version = this.#version()
    if (this.#known.version !== version) {
      this.#repeated = new Set(this.#known.results.keys())
      this.#known = { version, results: new Map() }
    }
    const { results } = this.#known
    const known = results.get(key) as Promise<T> | undefined
    if (known !== undefined) return known
    const result = this.#repeated.has(key) ? this.#again(work) : this.#next(work)
    results.set(key, result)
    result.catch(() => results.delete(key))
    for (const oldest of results.keys()) {
      if (results.size <= maxResults) break
      results.delete(oldest)
    }
    return result
  }

  /** Does the work after all that was requested before. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  async #again<T>(work: () => Promise<T>): Promise<T> {
    await pause(Math.max(0, this.#restUntil - this.#sparedMs - performance.now()))
    return this.#next(async () => {
      const startedAt = performance.now()
      try {
        return await work()
      } finally {
        const now = performance.now()
        this.#restUntil = Math.max(now, this.#restUntil) + (now - startedAt) * restFactor
      }
    })
  }
}
