/**
 * Deliveries that are under way: a source that reads faster than Kafka acknowledges hands over many at once, which
 * travel together, and waits when there are too many.
 */
export class InFlight {
  private readonly most: number
  private underWay = 0
  private failure: { readonly error: unknown } | null = null
  private wake: (() => void) | null = null

  /** @param most deliveries under way at once; a few of the publisher's batches */
  constructor(most = 4_000) {
    this.most = most
  }

  /**
   * Takes a delivery. Returns null where there is room for another at once, else a promise for the moment when there
   * is: awaiting each of thousands a second would cost more than the rest of the bookkeeping.
   * @throws what an earlier delivery came to
   */
  readonly add = (delivery: Promise<unknown>): Promise<void> | null => {
    this.underWay += 1
    delivery.then(this.land, error => {
      this.failure ??= { error }
      this.land()
    })
    if (this.failure !== null) throw this.failure.error
    return this.underWay < this.most ? null : this.until(() => this.underWay < this.most)
  }

  /**
   * Waits until all have arrived.
   * @throws what the first that failed came to
   */
  readonly landed = (): Promise<void> => this.until(() => this.underWay === 0)

  private readonly land = (): void => {
    this.underWay -= 1
    this.wake?.()
  }

  private readonly until = async (holds: () => boolean): Promise<void> => {
    while (!holds() && (this.failure === null || this.underWay > 0)) {
      await new Promise<void>(resolve => {
        this.wake = resolve
      })
      this.wake = null
    }
    if (this.failure !== null) throw this.failure.error
  }
}
