import { CommanderError } from '@commander-js/extra-typings'
import { expect, test } from 'vitest'
import { usageErrorOf } from './usageError.ts'

test.each([
  [
    ["error: unknown command 'upp'\n(Did you mean up?)", undefined],
    ['Unknown command `upp`', 'did you mean `up`? run `offstream --help`'],
  ],
  [
    ["error: unknown option '--foregroud'\n(Did you mean --foreground?)", 'up'],
    ['Unknown option `--foregroud`', 'did you mean `--foreground`? run `offstream up --help`'],
  ],
  [
    [
      "error: option '--limit <number>' argument 'many' is invalid. It must be a whole number from 1.",
      'scrape',
    ],
    [
      'Option `--limit <number>` argument `many` is invalid. It must be a whole number from 1.',
      'run `offstream scrape --help`',
    ],
  ],
] as const)('%j is an error with a code and a next step', ([message, command], [expected, hint]) => {
  expect(usageErrorOf(new CommanderError(1, 'commander.any', message), command)).toMatchObject({
    ...{ code: 'USAGE_INVALID', outcome: 'usage', message: expected, hint },
  })
})
