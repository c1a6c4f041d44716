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
      "error: option '--limit <number>' argument 'many' is invalid. It must be a whole number of at least 1.",
      'scrape',
    ],
    [
      'Invalid value `many` for `--limit <number>`: it must be a whole number of at least 1',
      'run `offstream scrape --help`',
    ],
  ],
  [
    [
      "error: option '--format <format>' argument 'it's' is invalid. Allowed choices are table, json, csv.",
      'query',
    ],
    [
      "Invalid value `it's` for `--format <format>`: allowed choices are table, json, csv",
      'run `offstream query --help`',
    ],
  ],
  [
    [
      "error: option '--stack <name>' value 'A' from env 'OFFSTREAM_STACK' is invalid. It must be short.",
      undefined,
    ],
    [
      'Invalid value `A` for `--stack <name>` (from OFFSTREAM_STACK): it must be short',
      'run `offstream --help`',
    ],
  ],
] as const)('%j is an error with a code and a next step', ([message, command], [expected, hint]) => {
  expect(usageErrorOf(new CommanderError(1, 'commander.any', message), command)).toMatchObject({
    ...{ code: 'USAGE_INVALID', outcome: 'usage', message: expected, hint },
  })
})
