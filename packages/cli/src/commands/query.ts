import { Option } from '@commander-js/extra-typings'
import type { QueryResult } from '@offstream/pipeline'
import { jsonText } from '@offstream/runtime/controls'
import type { DefineCommand } from '../command.ts'
import { printable } from '../format.ts'
import { positiveNumber } from '../optionValues.ts'
import type { Output } from '../output.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('<sql>', 'one statement in Spark SQL; put it in quotes')
    .addOption(
      new Option('--format <form>', 'how the rows are written')
        .choices(['table', 'json', 'csv'] as const)
        .default('table' as const),
    )
    .option('--timeout <seconds>', 'give up after so many seconds (default: never)', positiveNumber)
    .addHelpText(
      'after',
      `
The question goes to the Thrift server, as Tableau's does. Three views can be
asked: \`Products\`, \`products_v1\` (the same with the French column names of this
project's first version) and \`products_rejected\` (messages that were no
product).

On a terminal, values that do not fit are cut off with …; \`--format csv\` shows
them whole. \`--format json\` writes an array of rows; the global \`--json\` one
object, with the types of the columns. In both, whole numbers beyond 2^53,
decimals and times are text, since JSON would round them.

Exit status: 0 answered, 8 the time was over, 9 no Thrift server answers, 12 the
statement is wrong.

Examples:
  offstream query "SHOW VIEWS"
  offstream query "DESCRIBE Products"
  offstream query "SELECT brands, count(*) AS n FROM Products GROUP BY brands"
  offstream query "SELECT code, product_name FROM Products" --format csv

Next: \`offstream charts\` draws the answers of four such questions.`,
    )
    .action(async (sql, { format, timeout }) => {
      const { output, pipeline, stack, signal } = context()
      const { config } = await stack()
      const answer = await pipeline.query({ host: config.host, port: config.thrift.port }, sql, {
        signal,
        ...(timeout === undefined ? {} : { timeoutMs: timeout * 1_000 }),
      })
      const text = await writers[format](answer, output)
      output.result({ columns: answer.columns, rows: objectsOf(answer) }, () => text)
    })

/** One object a row; the second column of a name is `name_2`, so that none is lost. */
const objectsOf = ({ columns, rows }: QueryResult): Record<string, unknown>[] => {
  const seen = new Map<string, number>()
  const names = columns.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
  return rows.map(row => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))
}

type Writer = (answer: QueryResult, output: Output) => string | Promise<string>

const writers: Readonly<Record<'table' | 'json' | 'csv', Writer>> = {
  table: ({ columns, rows }, output) =>
    output.table(
      columns.map(({ name }) => printable(name)),
      rows.map(row =>
        row.map(value => (value === null ? { text: 'null', tone: 'dim' } : printable(String(value)))),
      ),
      // A file, or another program, gets all of it.
      process.stdout.isTTY ? process.stdout.columns || undefined : undefined,
    ),
  json: answer => jsonText(objectsOf(answer)),
  // The line break after the last record is written with the result.
  csv: async answer => (await import('../csv.ts')).csvOf(answer).slice(0, -1),
}

export default define
