/** Chance that is the same every time: what it gives is decided by the seed alone. */
export interface Chance {
  /** A number from 0 up to, but not, 1. */
  readonly next: () => number
  /** A number between two bounds; the middle is likelier than the ends. */
  readonly between: (low: number, high: number) => number
  /** A whole number between two bounds, which are both possible, each as likely. */
  readonly whole: (low: number, high: number) => number
  readonly of: <T>(choices: readonly [T, ...T[]]) => T
  /** Each of the choices with a probability, in their order. */
  readonly some: <T>(choices: readonly T[], probability: number) => readonly T[]
  /** True as often as the probability says. */
  readonly odds: (probability: number) => boolean
}

/** splitmix32: four lines, passes what such a catalogue asks of it, and depends on no engine's own generator. */
export const chance = (seed: number): Chance => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  const whole = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const odds = (probability: number): boolean => next() < probability
  return {
    next,
    whole,
    odds,
    between: (low, high) => low + ((next() + next()) / 2) * (high - low),
    of: choices => choices[whole(0, choices.length - 1)] ?? choices[0],
    some: (choices, probability) => choices.filter(() => odds(probability)),
  }
}
