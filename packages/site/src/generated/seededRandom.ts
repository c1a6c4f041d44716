/** Random numbers that depend only on the seed. */
export interface Random {
  /** A number from 0 (inclusive) to 1 (exclusive). */
  readonly next: () => number
  /** A number between two bounds. The middle is more likely than the ends. */
  readonly between: (low: number, high: number) => number
  /** A uniformly distributed integer between two bounds, both inclusive. */
  readonly integer: (low: number, high: number) => number
  readonly of: <T>(choices: readonly [T, ...T[]]) => T
  /** A subset in the given order. Each choice is included with the given probability. */
  readonly some: <T>(choices: readonly T[], probability: number) => readonly T[]
  /** True with the given probability. */
  readonly chance: (probability: number) => boolean
}

/** splitmix32: small, good enough for a catalogue, and the same in every JavaScript engine. */
export const seededRandom = (seed: number): Random => {
  let state = seed | 0
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  const integer = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1))
  const chance = (probability: number): boolean => next() < probability
  return {
    next,
    integer,
    chance,
    between: (low, high) => low + ((next() + next()) / 2) * (high - low),
    of: choices => choices[integer(0, choices.length - 1)] ?? choices[0],
    some: (choices, probability) => choices.filter(() => chance(probability)),
  }
}
