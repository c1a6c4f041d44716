import { type ErrorDefinition, errorClass } from '@offstream/runtime/errors'

/** The codes that this package throws. */
export const cliErrors = {
  ALL_SKIPPED: {
    outcome: 'failed',
    cause: '`scrape` skipped all inputs, because none of them is a product. The summary counts the reasons.',
    remedy: 'Check the source. If the messages of a topic have another format, set `topic.mapping`.',
  },
  ALREADY_RUNNING: {
    outcome: 'locked',
    cause: '`up --foreground` was run while the services are running in the background.',
    remedy: 'Leave them running, or run `offstream down` first.',
  },
  BROWSER_MISSING: {
    outcome: 'prerequisite',
    cause: 'The system has no program that opens an address in a browser, as on a server without a desktop.',
    remedy: 'Copy the address that `offstream dashboard` prints into a browser.',
  },
  CHART_UNKNOWN: {
    outcome: 'usage',
    cause: 'The chart does not exist.',
    remedy: 'Use one of the names that the message lists.',
  },
  CODE_UNKNOWN: {
    outcome: 'usage',
    cause: 'The argument of `explain` is not an error code.',
    remedy: 'Copy the code in brackets after the message; `offstream explain` lists all codes.',
  },
  CONFIRMATION_REQUIRED: {
    outcome: 'usage',
    cause:
      '`reset`, `table rollback` or `topic delete` requires confirmation, but standard input is not a terminal.',
    remedy: 'Check with `--dry-run` if the command has it, then add `--yes`.',
  },
  FILE_EXISTS: {
    outcome: 'usage',
    cause: 'The output file of `tableau` already exists with different content, which may be your own work.',
    remedy: 'Write to another file with `--output`, or replace it with `--force`.',
  },
  JOB_NAME_INVALID: {
    outcome: 'usage',
    cause:
      'The name of a job is not a letter with letters, digits and hyphens after it, or it is the name of a service.',
    remedy: 'Choose a name with `offstream submit <program> --name <name>`.',
  },
  LINES_REJECTED: {
    outcome: 'refused',
    cause: 'Some input lines of `topic produce` are not products; the others were published.',
    remedy: 'Correct them, or publish them unchecked with `--raw`.',
  },
  NOTHING_SELECTED: {
    outcome: 'usage',
    cause: 'No option of `reset` selects what to delete.',
    remedy: 'Use `--table`, `--checkpoint`, `--topic` or `--all`.',
  },
  NOT_CONFIRMED: {
    outcome: 'interrupted',
    cause:
      'The prompt of `reset`, `table rollback` or `topic delete` was not confirmed with `y`; nothing was changed.',
    remedy: 'Answer `y`, or use `--yes`.',
  },
  OPTIONS_CONFLICT: {
    outcome: 'usage',
    cause:
      'Some options of `scrape` cannot be used together, or require another `--source`, which the message names; or an option of `submit` is not for this kind of job; or `topic produce` has `--key` without `--topic`, or `up` has `--cores` with `spark.master`.',
    remedy: 'Use only one of them.',
  },
  OPTION_INVALID: {
    outcome: 'usage',
    cause: '`--search` is empty, or, with `--source api`, does not have the form `key=value`.',
    remedy: 'Use words with `--source web`, parameters with `--source api`.',
  },
  OUTPUT_UNWRITABLE: {
    outcome: 'refused',
    cause: 'The file of `query --output` cannot be written; the message says why.',
    remedy: 'Choose another file with `--output`, or create its folder.',
  },
  PROJECT_MISSING: {
    outcome: 'usage',
    cause: 'The folder of `--project` does not exist.',
    remedy: 'Check the path, or create a project there with `offstream init <folder>`.',
  },
  REPORT_UNWRITABLE: {
    outcome: 'refused',
    cause: 'The report cannot be written, or its file already exists.',
    remedy: 'Choose another file with `--output`.',
  },
  SERVICE_UNKNOWN: {
    outcome: 'usage',
    cause: 'The service does not exist.',
    remedy: 'Use one of the names that the message lists.',
  },
  STATEMENT_MISSING: {
    outcome: 'usage',
    cause: '`query` was run without an SQL statement, with two statements, or with an empty one.',
    remedy: 'Pass one statement in quotes, in a file with `-f`, or on standard input.',
  },
  TABLE_ELSEWHERE: {
    outcome: 'refused',
    cause:
      '`reset --table` does not delete tables in a catalog of `lake.catalog.uri`, because others may use them.',
    remedy:
      'Drop them with `offstream query "DROP TABLE lake.off.products PURGE"`, and the same for `lake.off.rejected`; then `offstream down && offstream reset --checkpoint && offstream up && offstream submit`.',
  },
  TERMINAL_REQUIRED: {
    outcome: 'usage',
    cause: 'An interactive command was run without a terminal.',
    remedy: 'Use `offstream query` for SQL in scripts, and `offstream submit` for programs.',
  },
  UNEXPECTED: {
    outcome: 'unexpected',
    cause: 'A bug in offstream; the stack trace shows where.',
    remedy: 'Run `offstream report` and open an issue with the report.',
  },
  USAGE_INVALID: {
    outcome: 'usage',
    cause: 'The command line has an unknown command or option, or a missing or invalid value.',
    remedy: 'Run `offstream --help`, or the command with `--help`.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>

export class CliError extends errorClass(cliErrors) {}
