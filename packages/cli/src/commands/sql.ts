import { join } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import type { SqlSession } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { formatDuration, plural } from '../format.ts'
import { type FormatName, formatNames } from '../formats/names.ts'

const printedFormats = formatNames.filter(name => name !== 'parquet')

const define: DefineCommand = (command, context) =>
  command
    .addOption(
      new Option('--format <format>', 'format of the rows').choices(printedFormats).default('table' as const),
    )
    .addHelpText(
      'after',
      `
Opens a SQL shell on the Thrift server. A statement can span several lines and
ends with \`;\`. All statements run in one session, so \`SET\`, \`USE\` and
temporary views apply to the later ones. If the server restarts, the shell opens
a new session.

  Tab            completes keywords, tables and columns
  Up             shows earlier statements that start with what you typed, also
                 from earlier shells of this stack
  Ctrl-C         cancels the running statement, or discards what you typed
  Ctrl-D         leaves the shell, as \`exit\` and \`quit\` do
  help           shows these keys

The shell needs a terminal. For scripts, \`offstream query\` reads a statement
from its argument, a file or standard input, and also writes files.

Exit status: 0 you left the shell, 2 standard input is not a terminal, 9 could
not connect to the Thrift server.

Examples:
  offstream sql
  offstream sql --format csv

Next: type \`SHOW TABLES;\`, then \`SELECT * FROM Products LIMIT 5;\`.`,
    )
    .action(async ({ format }) => {
      if (!process.stdin.isTTY)
        throw new CliError('TERMINAL_REQUIRED', '`offstream sql` needs a terminal as standard input', {
          hint: 'use `offstream query`, which reads a statement from standard input',
        })
      await openShell(context(), format)
    })

const keys =
  'End a statement with `;`. Tab completes, Ctrl-C cancels the statement, Ctrl-D leaves, `help` shows this line'

// TypeScript 5.9 does not rewrite the paths of imports in a function with `await using`.
const loadShell = () =>
  Promise.all([import('../sql/shell.ts'), import('../sql/words.ts'), import('../sql/history.ts')])

const openShell = async (surroundings: Context, format: FormatName): Promise<void> => {
  const [{ runShell }, { SqlWords }, { addToSqlHistory, readSqlHistory }] = await loadShell()
  const { output, pipeline, stack, signal } = surroundings
  const { state, config } = await stack()
  const address = await pipeline.thriftOf(config, state)
  const history = join(state, 'sql-history.json')
  await using sessions = new Sessions(() => pipeline.openSqlSession(address, signal))
  await sessions.current()
  output.note(`Spark SQL at ${address.host}:${address.port}. ${keys}`)
  const words = new SqlWords(sql => pipeline.query(address, sql, { signal, timeoutMs: namesTimeoutMs }))
  await runShell({
    ...{ input: process.stdin, output: process.stdout.isTTY ? process.stdout : process.stderr },
    history: await readSqlHistory(history),
    addToHistory: entry => addToSqlHistory(history, entry),
    complete: before => words.complete(before),
    help: () => output.note(keys),
    run: async (statement, cancelled) => {
      await runOne(sessions, statement, format, { output, signal: cancelled })
      if (changesNames.test(statement)) words.forget()
    },
    signal,
  })
}

const namesTimeoutMs = 5_000
const changesNames = /^\s*(?:CREATE|DROP|ALTER|USE|REPLACE)\b/i

/** Runs a statement and prints its rows, its duration, or its error. */
const runOne = async (
  sessions: Sessions,
  statement: string,
  format: FormatName,
  surroundings: Pick<Context, 'output' | 'signal'>,
): Promise<void> => {
  const { printRows } = await import('../formats/queryRows.ts')
  const { errorForUser } = await import('../errorForUser.ts')
  const { output, signal } = surroundings
  const startedMs = Date.now()
  try {
    const session = await sessions.current()
    const rows = await printRows(session.run(statement, signal), format, surroundings)
    const took = formatDuration(Date.now() - startedMs)
    output.note(`${rows === null ? 'Done' : plural(rows, 'row')} in ${took}\n`)
  } catch (error) {
    if (signal.aborted) return output.note('Canceled\n')
    await sessions.check(error)
    output.error(errorForUser(error), false)
  }
}

/** The session of the shell, opened again after its connection was lost. */
class Sessions implements AsyncDisposable {
  readonly #open: () => Promise<SqlSession>
  #current: Promise<SqlSession> | null = null

  constructor(open: () => Promise<SqlSession>) {
    this.#open = open
  }

  /** If it cannot be opened, the next statement tries again. */
  current(): Promise<SqlSession> {
    this.#current ??= this.#open().catch(error => {
      this.#current = null
      throw error
    })
    return this.#current
  }

  /** After the error of a lost connection, the next statement opens a new session. */
  async check(error: unknown): Promise<void> {
    if (error instanceof Error && 'code' in error && error.code === 'THRIFT_UNREACHABLE') await this.close()
  }

  async close(): Promise<void> {
    const session = await this.#current?.catch(() => null)
    this.#current = null
    await session?.[Symbol.asyncDispose]()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export default define
