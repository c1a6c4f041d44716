import { Option } from '@commander-js/extra-typings'
import type { DefineCommand } from '../command.ts'
import { formatNames } from '../formats/names.ts'
import { positiveNumber } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[sql]', 'one Spark SQL statement, in quotes; `-`: standard input')
    .option('-f, --file <file>', 'read the statement from a file')
    .addOption(
      new Option(
        '--format <format>',
        'format of the rows (default: by the name of --output, or table)',
      ).choices(formatNames),
    )
    .option('--output <file>', 'write the rows to a file, which appears when it is complete')
    .option('--timeout <seconds>', 'maximum time of the query (default: none)', positiveNumber)
    .addHelpText(
      'after',
      `
The Thrift server runs the statement, as it does for Tableau. There are three
views: \`Products\`, \`products_v1\` (the same with the French column names of the
first version of this project) and \`products_rejected\` (rejected messages).
Without an argument, the statement is read from standard input if that is not
a terminal. Rows are written as they arrive, so memory does not grow with the
result. Ctrl-C and --timeout cancel the statement on the server too.

  table    aligned columns; on a terminal, long values are truncated (…). The
           first 1,000 rows determine the widths; a longer value in a later
           row makes its column wider from that row on
  json     an array with one object per row
  ndjson   one object per line
  csv      RFC 4180; NULL is an empty field, an empty string is ""
  parquet  typed columns, compressed with Snappy; not for a terminal

The global \`--json\` prints one object with the rows and the column types. In
JSON, integers above 2^53, decimals and NaN are strings, because JSON numbers
would not be exact. In every format, arrays, maps and structs are JSON. Binary
values are base64 and timestamps 2026-01-31T12:00:00Z, except in Parquet, which
has types for them.

Exit status: 0 ok, 8 timeout, 9 could not connect to the Thrift server, 12 the
statement failed.

Examples:
  offstream query "SHOW VIEWS"
  offstream query "DESCRIBE Products"
  offstream query "SELECT brands, count(*) AS n FROM Products GROUP BY brands"
  offstream query "SELECT code, product_name FROM Products" --format csv
  offstream query -f report.sql --output report.parquet
  echo "SELECT count(*) FROM Products" | offstream query

Next: \`offstream charts\` draws charts from such queries.`,
    )
    .action(async (sql, { file, format, output: target, timeout }) => {
      const { statementOf, writeRows } = await import('../formats/queryRows.ts')
      const surroundings = context()
      const statement = await statementOf(sql, file)
      const timeoutMs = timeout === undefined ? undefined : timeout * 1_000
      await writeRows(surroundings, { statement, target, format, timeoutMs })
    })

export default define
