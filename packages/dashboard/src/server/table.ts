import { describeTables } from '@offstream/pipeline'
import type { Hono } from 'hono'
import type { TableState } from '../wire.ts'
import type { Queries } from './queries.ts'

/** The files and the snapshots of the table. */
export const serveTable = (app: Hono, queries: Queries): void => {
  app.get('/api/table', async context => {
    const [products] = await queries.read('tables', describeTables)
    const snapshots = await queries.rows(snapshotsQuery)
    return context.json({ files: products ?? null, snapshots } satisfies TableState)
  })
}

const number = (name: string): string => `CAST(coalesce(summary['${name}'], '0') AS bigint)`

/** Rows in data files, minus the replaced and deleted ones, which delete files name. */
const snapshotsQuery = `
SELECT CAST(snapshot_id AS string) AS id, unix_millis(committed_at) AS at, operation,
  ${number('added-records')} AS added,
  ${number('added-position-deletes')} + ${number('deleted-records')} AS removed,
  ${number('total-records')} - ${number('total-position-deletes')} AS total,
  ${number('total-data-files')} + ${number('total-delete-files')} AS files
FROM lake.off.products.snapshots
ORDER BY committed_at DESC
LIMIT 500`
