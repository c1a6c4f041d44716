/**
 * Deliveries that are not yet acknowledged. A source that reads faster than Kafka acknowledges has many of them in
 * flight, so that they are sent in batches, and waits if there are too many.
 */
export class InFlight {
  private readonly max: number
  private pending = 0
  private failure: { readonly error: unknown } | null = null
  private wake: (() => void) | null = null

  /** @param max the maximum number of deliveries in flight: a few batches of the publisher */
  constructor(max = 4_000) {
    this.max = max
  }

  /**
   * Adds a delivery. Returns null if another one may follow at once, otherwise a promise that resolves when it may.
   * Awaiting every one of thousands of deliveries a second would take longer than the rest of the bookkeeping.
   * @throws the error of an earlier delivery
   */
  readonly add = (delivery: Promise<unknown>): Promise<void> | null => {
    this.pending += 1
    delivery.then(this.settle, error => {
      this.failure ??= { error }
      this.settle()
    })
    if (this.failure !== null) throw this.failure.error
    return this.pending < this.max ? null : this.until(() => this.pending < this.max)
  }

  /**
   * Waits until all deliveries are acknowledged.
   * @throws the error of the first one that failed
   */
  readonly settled = (): Promise<void> => this.until(() => this.pending === 0)

  private readonly settle = (): void => {
    this.pending -= 1
    this.wake?.()
  }

  private readonly until = async (holds: () => boolean): Promise<void> => {
    while (!holds() && (this.failure === null || this.pending > 0)) {
      await new Promise<void>(resolve => {
        this.wake = resolve
      })
      this.wake = null
    }
    if (this.failure !== null) throw this.failure.error
  }
}
