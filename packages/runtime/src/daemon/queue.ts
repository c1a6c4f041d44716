/** Carries out requests one after the other: two commands at the same time would change the same services. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve()
  readonly #waiting = new Set<AbortController>()

  /** Whether a request is carried out or waits. */
  get isBusy(): boolean {
    return this.#waiting.size > 0
  }

  /** Makes every request that is carried out or waits fail with `reason`. */
  cancel(reason: Error): void {
    for (const one of this.#waiting) one.abort(reason)
  }

  /** Calls `work` after the requests before it; its signal is aborted by `signal` and by `cancel`. */
  async add(signal: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const cancelled = new AbortController()
    const either = AbortSignal.any([signal, cancelled.signal])
    this.#waiting.add(cancelled)
    const done = this.#last.then(() => {
      either.throwIfAborted()
      return work(either)
    })
    this.#last = done.catch(() => undefined)
    try {
      await done
    } finally {
      this.#waiting.delete(cancelled)
    }
  }
}
