import { computed, type ReadonlySignal, signal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { live } from './live.ts'
import { getJson, RequestError } from './request.ts'

/** What was loaded from the server, or why not. */
export interface Loaded<T> {
  readonly value: T | null
  readonly failure: { readonly message: string; readonly hint: string } | null
  readonly isLoading: boolean
}

/** Changes with each commit to the table. */
export const tableVersion = computed(() => live.value?.tableVersion)

/** Loads again at most once in this time, however often the table changes. */
const minIntervalMs = 1_000

/**
 * Loads an address, and loads it again when the address or `changes` changes. The previous result stays visible in the
 * meantime.
 */
export const useLoaded = <T>(
  address: string,
  changes: ReadonlySignal<unknown> = tableVersion,
  intervalMs = minIntervalMs,
): ReadonlySignal<Loaded<T>> => {
  const loader = useMemo(() => new Loader<T>(intervalMs), [])
  const requested = useMemo(() => signal(address), [])
  requested.value = address
  useSignalEffect(() => {
    changes.value
    loader.load(requested.value)
  })
  useEffect(() => () => loader.stop(), [])
  return loader.loaded
}

/** Loads one address at a time. A commit to the table does not cancel a request: a slow one would never complete. */
class Loader<T> {
  readonly loaded = signal<Loaded<T>>({ value: null, failure: null, isLoading: true })
  readonly #intervalMs: number
  #address = ''
  #startedAt = 0
  #cancelled = new AbortController()
  #isBusy = false
  #isDirty = false

  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs
  }

  load(address: string): void {
    if (address === this.#address && this.#isBusy) {
      this.#isDirty = true
      return
    }
    const waitMs = address === this.#address ? this.#startedAt + this.#intervalMs - Date.now() : 0
    this.stop()
    this.#address = address
    this.#cancelled = new AbortController()
    this.#isBusy = true
    void this.#run(address, Math.max(0, waitMs), this.#cancelled.signal)
  }

  stop(): void {
    this.#cancelled.abort()
    this.#isBusy = false
    this.#isDirty = false
  }

  async #run(address: string, waitMs: number, signal: AbortSignal): Promise<void> {
    await new Promise(resolve => setTimeout(resolve, waitMs))
    if (signal.aborted) return
    this.#startedAt = Date.now()
    this.#isDirty = false
    this.loaded.value = { ...this.loaded.peek(), isLoading: true }
    try {
      const value = await getJson<T>(address, signal)
      this.loaded.value = { value, failure: null, isLoading: false }
    } catch (error) {
      if (signal.aborted) return
      const hint = error instanceof RequestError ? error.hint : ''
      const message = error instanceof Error ? error.message : String(error)
      this.loaded.value = { value: this.loaded.peek().value, failure: { message, hint }, isLoading: false }
    }
    this.#isBusy = false
    if (this.#isDirty) this.load(address)
  }
}
