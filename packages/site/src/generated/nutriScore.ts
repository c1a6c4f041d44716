/** The values from which the Nutri-Score is computed, for 100 g or 100 ml. */
export interface NutriScoreInput {
  /** Selects the algorithm's table. */
  readonly kind: 'food' | 'cheese' | 'fat' | 'beverage' | 'water'
  readonly energyKj: number
  readonly fat: number
  readonly saturatedFat: number
  readonly sugars: number
  readonly fiber: number
  readonly proteins: number
  readonly salt: number
  /** Share of fruits, vegetables and legumes, 0 to 100. */
  readonly fruits: number
  readonly sweetened: boolean
}

export interface NutriScore {
  readonly score: number
  readonly grade: 'a' | 'b' | 'c' | 'd' | 'e'
}

/**
 * The Nutri-Score of 2023: points for energy, saturated fat, sugars and salt, minus points for proteins, fibre and fruit.
 * @see Santé publique France, "Update of the Nutri-Score algorithm" (2022 for food, 2023 for beverages)
 */
export const nutriScore = (input: NutriScoreInput): NutriScore => {
  if (input.kind === 'water') return { score: 0, grade: 'a' }
  const against = pointsAgainst(input)
  const proteins = points(input.proteins, table(input).proteins)
  const others = points(input.fiber, thresholds.fiber) + fruitPoints(input)
  // From 11 points on, proteins do not count, because meat and sweets would get too good a grade. Cheese is an exception.
  const countsProteins = input.kind === 'beverage' || input.kind === 'cheese' || against < limitOf(input)
  const score = against - others - (countsProteins ? proteins : 0)
  const limits = gradeLimits[input.kind === 'beverage' || input.kind === 'fat' ? input.kind : 'food']
  return { score, grade: limits.find(([, maxScore]) => score <= maxScore)?.[0] ?? 'e' }
}

const steps = (step: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, index) => step * (index + 1))

const thresholds = {
  fiber: [3, 4.1, 5.2, 6.3, 7.4],
  saturatedFat: steps(1, 10),
  salt: steps(0.2, 20),
  food: {
    energy: steps(335, 10),
    sugars: [3.4, 6.8, 10, 14, 17, 20, 24, 27, 31, 34, 37, 41, 44, 48, 51],
    proteins: [2.4, 4.8, 7.2, 9.6, 12, 14, 17],
  },
  beverage: {
    energy: [30, 90, 150, 210, 240, 270, 300, 330, 360, 390],
    sugars: [0.5, 2, 3.5, 5, 6, 7, 8, 9, 10, 11],
    proteins: [1.2, 1.5, 1.8, 2.1, 2.4, 2.7, 3],
  },
  fat: { energyFromSaturated: steps(120, 10), saturatedShare: steps(6, 10).map(each => each + 4) },
} as const

const gradeLimits = {
  food: [
    ['a', 0],
    ['b', 2],
    ['c', 10],
    ['d', 18],
  ],
  fat: [
    ['a', -6],
    ['b', 2],
    ['c', 10],
    ['d', 18],
  ],
  // Only water has grade A.
  beverage: [
    ['b', 2],
    ['c', 6],
    ['d', 9],
  ],
} as const

const table = ({ kind }: NutriScoreInput) => thresholds[kind === 'beverage' ? 'beverage' : 'food']
const limitOf = ({ kind }: NutriScoreInput): number => (kind === 'fat' ? 7 : 11)

/** The number of thresholds that a value exceeds. */
const points = (value: number, limits: readonly number[]): number =>
  limits.filter(limit => value > limit).length

const pointsAgainst = (input: NutriScoreInput): number => {
  const common = points(input.sugars, table(input).sugars) + points(input.salt, thresholds.salt)
  if (input.kind === 'fat') {
    const share = input.fat === 0 ? 0 : (input.saturatedFat / input.fat) * 100
    // 37 kJ a gram.
    const energy = points(input.saturatedFat * 37, thresholds.fat.energyFromSaturated)
    return common + energy + points(share, thresholds.fat.saturatedShare)
  }
  const sweetener = input.kind === 'beverage' && input.sweetened ? 4 : 0
  const energy = points(input.energyKj, table(input).energy)
  return common + energy + points(input.saturatedFat, thresholds.saturatedFat) + sweetener
}

const fruitPoints = ({ kind, fruits }: NutriScoreInput): number => {
  const [some, more, most] = kind === 'beverage' ? [2, 4, 6] : [1, 2, 5]
  if (fruits > 80) return most
  if (fruits > 60) return more
  return fruits > 40 ? some : 0
}
