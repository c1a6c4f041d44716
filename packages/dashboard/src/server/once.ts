/** Results that are remembered for one version. */
const maxResults = 200

/** Does each piece of work once per version of what it depends on, one piece at a time, for all viewers. */
export class Once {
  readonly #version: () => unknown
  #known: { version: unknown; results: Map<string, Promise<unknown>> } = { version: null, results: new Map() }
  #last: Promise<unknown> = Promise.resolve()

  /** @param version what the results depend on, such as the version of a table */
  constructor(version: () => unknown) {
    this.#version = version
  }

  /** The result of `work` for the current version. Failed work is repeated at the next call. */
  get<T>(key: string, work: () => Promise<T>): Promise<T> {
    const version = this.#version()
    if (this.#known.version !== version) this.#known = { version, results: new Map() }
    const { results } = this.#known
    const known = results.get(key) as Promise<T> | undefined
    if (known !== undefined) return known
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    results.set(key, result)
    result.catch(() => results.delete(key))
    for (const oldest of results.keys()) {
      if (results.size <= maxResults) break
      results.delete(oldest)
    }
    return result
  }
}
