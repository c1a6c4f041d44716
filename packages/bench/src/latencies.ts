/** An event that a probe can recognise, and when it was sent. */
export interface SentMarker {
  readonly event: number
  readonly sentAt: number
}

/** The newest marker that a probe saw, and when. */
export interface SeenMarker {
  readonly event: number
  readonly seenAt: number
}

export interface Latencies {
  /** Seconds from sending to visible, in the order of the events. */
  readonly seconds: readonly number[]
  /** Markers that were never seen. */
  readonly invisible: number
}

/**
 * The latency of each marker. The events of a topic become visible in order, so a marker is visible when it or a later one
 * is seen first. All times are in seconds.
 * @throws if a marker was seen before it was sent: then the results are of other markers
 */
export const latenciesOf = (sent: readonly SentMarker[], seen: readonly SeenMarker[]): Latencies => {
  const inOrder = seen.toSorted((one, other) => one.seenAt - other.seenAt)
  let next = 0
  const seconds: number[] = []
  for (const { event, sentAt } of sent.toSorted((one, other) => one.event - other.event)) {
    while (next < inOrder.length && (inOrder[next]?.event ?? 0) < event) next += 1
    const first = inOrder[next]
    if (first === undefined) continue
    if (first.seenAt < sentAt) throw new Error(`event ${event} was seen before it was sent`)
    seconds.push(first.seenAt - sentAt)
  }
  return { seconds, invisible: sent.length - seconds.length }
}

/** The value that this share of the values does not exceed (nearest rank). NaN without values. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** The slope of the line through points by least squares, in units of y per unit of x. */
export const slopeOf = (points: readonly (readonly [x: number, y: number])[]): number => {
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length
  const [meanX, meanY] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))]
  const [above, below] = points.reduce(
    ([a, b], [x, y]) => [a + (x - meanX) * (y - meanY), b + (x - meanX) ** 2],
    [0, 0],
  )
  return above / below
}
