import { Option } from '@commander-js/extra-typings'
import type { QueryResult } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import { printable } from '../format.ts'
import { positiveNumber } from '../optionValues.ts'
import type { Output } from '../output.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('<sql>', 'one Spark SQL statement, in quotes')
    .addOption(
      new Option('--format <format>', 'format of the rows')
        .choices(['table', 'json', 'csv'] as const)
        .default('table' as const),
    )
    .option('--timeout <seconds>', 'maximum time of the query (default: none)', positiveNumber)
    .addHelpText(
      'after',
      `
The Thrift server runs the statement, as it does for Tableau. There are three
views: \`Products\`, \`products_v1\` (the same with the French column names of the
first version of this project) and \`products_rejected\` (rejected messages).

  table  aligned columns; on a terminal, long values are truncated (…)
  json   an array with one object per row
  csv    RFC 4180; NULL is an empty field, an empty string is ""

The global \`--json\` prints one object with the rows and the column types. In
JSON, integers above 2^53, decimals and timestamps are strings, because JSON
numbers would round them.

Exit status: 0 ok, 8 timeout, 9 could not connect to the Thrift server, 12 the
statement failed.

Examples:
  offstream query "SHOW VIEWS"
  offstream query "DESCRIBE Products"
  offstream query "SELECT brands, count(*) AS n FROM Products GROUP BY brands"
  offstream query "SELECT code, product_name FROM Products" --format csv

Next: \`offstream charts\` draws charts from four such queries.`,
    )
    .action(async (sql, { format, timeout }) => {
      const { output, pipeline, stack, signal } = context()
      const { config } = await stack()
      const result = await pipeline.query({ host: config.host, port: config.thrift.port }, sql, {
        signal,
        ...(timeout === undefined ? {} : { timeoutMs: timeout * 1_000 }),
      })
      const text = await writers[format](result, output)
      output.result({ columns: result.columns, rows: objectsOf(result) }, () => text)
    })

/** One object a row. The second column of the same name is `name_2`. */
const objectsOf = ({ columns, rows }: QueryResult): Record<string, unknown>[] => {
  const seen = new Map<string, number>()
  const names = columns.map(({ name }) => {
    const count = (seen.get(name) ?? 0) + 1
    seen.set(name, count)
    return count === 1 ? name : `${name}_${count}`
  })
  return rows.map(row => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))
}

type Writer = (result: QueryResult, output: Output) => string | Promise<string>

const writers: Readonly<Record<'table' | 'json' | 'csv', Writer>> = {
  table: ({ columns, rows }, output) =>
    output.table(
      columns.map(({ name }) => printable(name)),
      rows.map(row =>
        row.map(value => (value === null ? { text: 'null', tone: 'dim' } : printable(String(value)))),
      ),
      output.dataWidth,
    ),
  json: (result, output) => output.jsonText(objectsOf(result)),
  // Without the line break after the last record: `Output` writes it.
  csv: async result => (await import('../csv.ts')).csvOf(result).slice(0, -1),
}

export default define
