import { Option } from '@commander-js/extra-typings'
import type { QueryResult } from '@offstream/pipeline'
import type { DefineCommand } from '../commands.ts'
import { positiveNumber } from '../optionValues.ts'
import type { Output } from '../output.ts'
import { printable } from '../words.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('<sql>', 'one SQL statement')
    .addOption(
      new Option('--format <form>', 'how the rows are written')
        .choices(['table', 'json', 'csv'] as const)
        .default('table' as const),
    )
    .option('--timeout <seconds>', 'give up after this time', positiveNumber)
    .addHelpText(
      'after',
      `
Goes through the same door as Tableau. The views are \`Products\`, \`products_v1\` and \`products_rejected\`. Whole numbers
beyond 2^53, decimals and timestamps are text in JSON. \`--format json\` is an array of rows; \`--json\` adds the columns'
types.

Examples:
  offstream query "SELECT count(*) AS n FROM Products"
  offstream query "SELECT nova_group, count(*) AS n FROM Products GROUP BY nova_group ORDER BY n DESC" --format csv`,
    )
    .action(async (sql, { format, timeout }) => {
      const { output, pipeline, stack, signal } = context()
      const { config } = await stack()
      const answer = await pipeline.query({ host: config.host, port: config.thrift.port }, sql, {
        signal,
        ...(timeout === undefined ? {} : { withinMs: timeout * 1_000 }),
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
      columns.map(({ name }) => name),
      rows.map(row =>
        row.map(value => (value === null ? { text: 'null', tone: 'quiet' } : printable(String(value)))),
      ),
    ),
  json: answer => JSON.stringify(objectsOf(answer)),
  csv: async ({ columns, rows }) => {
    const { stringify } = await import('csv-stringify/sync')
    // RFC 4180: no line break after the last row here, since the writer of lines adds it.
    return stringify([columns.map(({ name }) => name), ...rows.map(row => [...row])], {
      cast: { boolean: String },
    }).trimEnd()
  },
}

export default define
