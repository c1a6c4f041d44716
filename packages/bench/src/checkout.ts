import { basename, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** A built copy of the repository, whose command is measured. */
export interface Checkout {
  readonly name: string
  /** The path of its command. */
  readonly command: string
}

const checkoutAt = (folder: string, name: string): Checkout => ({
  name,
  command: join(folder, 'packages/cli/bin/offstream.js'),
})

const thisCheckout = checkoutAt(join(import.meta.dirname, '../../..'), 'this checkout')

/**
 * Parses `[runs] [--against <folder>]`, the arguments of a bench that can compare two checkouts.
 * @returns the number of runs, and the checkouts: this one, then the other one if given
 */
export const benchArguments = (
  defaultRuns: number,
): { readonly runs: number; readonly checkouts: readonly Checkout[] } => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { against: { type: 'string' } },
  })
  return { runs: Number(positionals[0] ?? defaultRuns), checkouts: checkoutsOf(values.against) }
}

/** This checkout, then the one in the folder if given. */
export const checkoutsOf = (against: string | undefined): readonly Checkout[] =>
  against === undefined
    ? [thisCheckout]
    : [thisCheckout, checkoutAt(resolve(against), `\`${basename(resolve(against))}\``)]
