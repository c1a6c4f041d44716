import type { Status } from './status.ts'

/** The counts of a status at one time. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly acknowledged: number | null
  readonly consumed: number | null
  readonly visible: number | null
  readonly lag: number | null
  readonly freshnessSeconds: number | null
}

/** The sample of a status that was read at `at`. */
export const sampleOf = ({ flow }: Pick<Status, 'flow'>, at: number): Sample => ({
  at,
  acknowledged: flow.acknowledged,
  consumed: flow.consumed,
  visible: flow.visible,
  lag: flow.lag,
  freshnessSeconds: flow.freshnessSeconds,
})

/** A count that only grows. */
export type Counter = 'acknowledged' | 'consumed' | 'visible'

/** Rates over a shorter time fluctuate, because the job reports once a second. */
const rateWindowMs = 10_000

/**
 * By how much a count grows per second, over the last ten seconds of the samples; null if that is unknown. A count that
 * has become smaller (a new topic, a reset) counts as 0.
 * @param samples the oldest first
 */
export const rateOf = (samples: readonly Sample[], counter: Counter): number | null => {
  const last = samples.at(-1)
  if (last === undefined) return null
  const since = last.at - rateWindowMs
  const first = samples.find(({ at }) => at >= since)
  const [from, to] = [first?.[counter] ?? null, last[counter]]
  if (first === undefined || first.at === last.at || from === null || to === null) return null
  return Math.max(0, ((to - from) * 1_000) / (last.at - first.at))
}

/** The rate at each sample. */
export const ratesOf = (samples: readonly Sample[], counter: Counter): (number | null)[] => {
  let first = 0
  return samples.map((sample, index) => {
    while (samples[first] !== undefined && (samples[first]?.at ?? 0) < sample.at - rateWindowMs) first += 1
    return rateOf(samples.slice(first, index + 1), counter)
  })
}
