import { SiteError } from './errors.ts'
import { type FaultName, faults, isFault } from './faults.ts'
import { type Random, seededRandom } from './generated/seededRandom.ts'

/** The requests to which a fault applies. */
export interface FaultRule {
  /** A pattern of paths with query. `*` matches anything: `/produit/*`, `/api/*`. */
  readonly path: string
  readonly fault: FaultName
  /** The maximum number of requests, by default unlimited. */
  readonly count?: number
  /** The share of matching requests, 0 to 1. The seed and the order of requests decide which. */
  readonly probability?: number
  readonly seed?: number
}

/** Chooses the fault of each request: the first rule that applies. */
export class FaultPlan {
  private readonly rules: readonly RunningRule[]

  /** @throws OffstreamError FAULT_UNKNOWN */
  constructor(rules: readonly FaultRule[]) {
    for (const { fault } of rules) if (!isFault(fault)) throw unknownFault(fault)
    this.rules = rules.map(rule => new RunningRule(rule))
  }

  /** @param path including the query */
  readonly faultFor = (path: string): FaultName | null =>
    this.rules.find(rule => rule.applies(path))?.fault ?? null
}

/**
 * Parses a rule of the command line: `name` for all paths, or `name=path`.
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
  private readonly random: Random
  private left: number

  constructor({ path, fault, count = Number.POSITIVE_INFINITY, probability = 1, seed = 1 }: FaultRule) {
    this.fault = fault
    this.pattern = new RegExp(`^${path.split('*').map(escapeRegExp).join('.*')}$`, 's')
    this.probability = probability
    this.random = seededRandom(seed)
    this.left = count
  }

  readonly applies = (path: string): boolean => {
    if (this.left === 0 || !this.pattern.test(path) || !this.random.chance(this.probability)) return false
    this.left -= 1
    return true
  }
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

export const unknownFault = (name: string) =>
  new SiteError('FAULT_UNKNOWN', `Fault \`${name}\` does not exist`, {
    hint: `use one of ${Object.keys(faults).join(', ')}`,
  })
