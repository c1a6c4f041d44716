import { pause } from '@offstream/runtime'

/** Results that are remembered for one version, and keys that are remembered for all. */
const maxKeys = 200
/** The pause after repeated work, as a multiple of its duration. */
const restFactor = 19
/** Pauses that are shorter than this in total are not made: they matter only if the versions do not stop. */
const defaultSparedMs = 15_000

/**
 * Does each piece of work once per version of what it depends on, one piece at a time, for all viewers. Versions may follow
 * each other quickly, so work that was done before rests first; new work does not. Work that waits serves all who request
 * it in the meantime, and reads the version of its start.
 */
export class Once {
  readonly #version: () => unknown
  readonly #sparedMs: number
  #known: { version: unknown; results: Map<string, Promise<unknown>> } = { version: null, results: new Map() }
  readonly #waiting = new Map<string, Promise<unknown>>()
  /** The keys of earlier work, the oldest first. */
  readonly #done = new Set<string>()
  #last: Promise<unknown> = Promise.resolve()
  #lastRepeated: Promise<unknown> = Promise.resolve()
  #restUntil = 0

  /** @param version what the results depend on, such as the version of a table */
  constructor(version: () => unknown, sparedMs = defaultSparedMs) {
    this.#version = version
    this.#sparedMs = sparedMs
  }

  /** The result of `work` for the current version. Failed work is repeated at the next call. */
  get<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#results().get(key) ?? this.#waiting.get(key)
    if (known !== undefined) return known as Promise<T>
    const start = () => this.#start(key, work)
    const result = this.#done.has(key) ? this.#again(start) : this.#next(start)
    this.#waiting.set(key, result)
    return result
  }

  /** Those of the current version. */
  #results(): Map<string, Promise<unknown>> {
    const version = this.#version()
    if (this.#known.version !== version) this.#known = { version, results: new Map() }
    return this.#known.results
  }

  #start<T>(key: string, work: () => Promise<T>): Promise<T> {
    this.#waiting.delete(key)
    const results = this.#results()
    const result = work()
    results.set(key, result)
    result.catch(() => results.delete(key))
    this.#done.delete(key)
    this.#done.add(key)
    for (const keys of [results, this.#done])
      for (const oldest of keys.keys()) {
        if (keys.size <= maxKeys) break
        keys.delete(oldest)
      }
    return result
  }

  /** Does the work after all that was requested before. */
  #next<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Also after the rest of the work that was repeated before. */
  #again<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastRepeated.then(async () => {
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
    })
    this.#lastRepeated = result.catch(() => undefined)
    return result
  }
}
