import type { QueryResult } from '@offstream/pipeline'
import { replaceControls } from '@offstream/runtime/controls'
import { stringify } from 'csv-stringify/sync'

/**
 * A query's result as CSV by RFC 4180, with a line feed after each record, as `psql --csv` and DuckDB write it. NULL is an
 * empty field and an empty string is `""`, so a reader can tell them apart.
 */
export const csvOf = ({ columns, rows }: QueryResult): string =>
  stringify([columns.map(({ name }) => name), ...rows], {
    cast: {
      boolean: String,
      // CSV has no escapes for control characters.
      string: text => ({ value: replaceControls(text, { kept: '\t\n\r' }), quoted_empty: true }),
    },
  })
