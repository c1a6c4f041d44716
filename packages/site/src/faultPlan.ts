import { SiteError } from './errors.ts'
import { type FaultName, faults, isFault } from './faults.ts'
import { type Chance, chance } from './generated/random.ts'

/** Where and how often something goes wrong. */
export interface FaultRule {
  /** Paths with their query, `*` for anything: `/produit/*`, `/api/*`. */
  readonly path: string
  readonly fault: FaultName
  /** For how many requests; without it, for all. */
  readonly count?: number
  /** For what share of them, 0 to 1; which ones, the seed and the order of requests decide. */
  readonly probability?: number
  readonly seed?: number
}

/** Decides for each request what goes wrong with it: by its rules, of which the first that applies counts. */
export class FaultPlan {
  private readonly rules: readonly RunningRule[]

  /** @throws OffstreamError FAULT_UNKNOWN */
  constructor(rules: readonly FaultRule[]) {
    for (const { fault } of rules) if (!isFault(fault)) throw unknownFault(fault)
    this.rules = rules.map(rule => new RunningRule(rule))
  }

  /** @param path with its query */
  readonly faultFor = (path: string): FaultName | null =>
    this.rules.find(rule => rule.strikes(path))?.fault ?? null
}

/**
 * A rule as it is written on a command line: `name` for all paths, or `name=path`.
 * @throws OffstreamError FAULT_UNKNOWN
 */
export const faultRule = (text: string): FaultRule => {
  const [, name = '', path = '*'] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? []
  if (!isFault(name)) throw unknownFault(name)
  return { path, fault: name }
}

class RunningRule {
  readonly fault: FaultName
  private readonly pattern: RegExp
  private readonly probability: number
  private readonly dice: Chance
  private left: number

  constructor({ path, fault, count = Number.POSITIVE_INFINITY, probability = 1, seed = 1 }: FaultRule) {
    this.fault = fault
    this.pattern = new RegExp(`^${path.split('*').map(literally).join('.*')}$`, 's')
    this.probability = probability
    this.dice = chance(seed)
    this.left = count
  }

  readonly strikes = (path: string): boolean => {
    if (this.left === 0 || !this.pattern.test(path) || !this.dice.odds(this.probability)) return false
    this.left -= 1
    return true
  }
}

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export const unknownFault = (name: string) =>
  new SiteError('FAULT_UNKNOWN', `There is no fault \`${name}\``, {
    hint: `choose one of ${Object.keys(faults).join(', ')}`,
  })
