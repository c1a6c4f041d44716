import { messageOf, OffstreamError, withDeadline } from '@offstream/runtime'
import { isCertificateCode, readCertificates } from '../credentials.ts'
import { PipelineError } from '../errors.ts'

/** A database of PostgreSQL, and how it is reached. */
export interface Database {
  /** `postgresql://host:port/database` */
  readonly uri: string
  readonly user: string
  readonly password: string
  /** TLS with a verified certificate; null: none. */
  readonly tls: { readonly caFile: string | null } | null
}

const timeoutMs = 10_000

/**
 * Connects, and checks that the user can use the tables of the catalog, or create them.
 * @throws OffstreamError CATALOG_UNREACHABLE, AUTHENTICATION_FAILED, ACCESS_DENIED, CERTIFICATE_REJECTED, FILE_MISSING
 */
export const checkDatabase = async (database: Database, signal?: AbortSignal): Promise<void> => {
  const { uri, user, password, tls } = database
  const { hostname, port, pathname } = new URL(uri)
  const host = hostname.replace(/^\[|\]$/g, '')
  const { default: postgres } = await import('postgres')
  const sql = postgres({
    ...{ host, port: port === '' ? 5432 : Number(port) },
    ...{ database: pathname.slice(1), username: user, password },
    ...{ max: 1, connect_timeout: timeoutMs / 1_000, onnotice: () => undefined },
    // Without `host`, the certificate of an IP address would be compared with `localhost`.
    ssl: tls !== null && { host, ...authorityOf(tls) },
  })
  try {
    const privileges = async () => sql`
      SELECT to_regclass('iceberg_tables') IS NULL AS is_new,
        coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS creates,
        coalesce(has_table_privilege(to_regclass('iceberg_tables'), 'SELECT, INSERT, UPDATE, DELETE'), false) AS writes`
    const [row] = await withDeadline(privileges, { what: 'a response', timeoutMs, signal })
    if (!(row?.['is_new'] ? row['creates'] : row?.['writes'])) throw notPermitted(database)
  } catch (error) {
    signal?.throwIfAborted()
    throw databaseErrorOf(database, error)
  } finally {
    await sql.end({ timeout: 0 })
  }
}

const authorityOf = (tls: NonNullable<Database['tls']>): { readonly ca?: string } => {
  const { ca } = readCertificates(tls)
  return ca === null ? {} : { ca }
}

const notPermitted = ({ uri, user }: Database): OffstreamError =>
  new PipelineError(
    'ACCESS_DENIED',
    `\`${user}\` can neither use nor create the tables of the catalog in \`${uri}\``,
    { hint: `make the user the owner of a schema: \`CREATE SCHEMA AUTHORIZATION "${user}"\`` },
  )

/** The codes of PostgreSQL for a wrong user or password. */
const authenticationCodes = ['28000', '28P01']

const databaseErrorOf = ({ uri, user }: Database, error: unknown): OffstreamError => {
  if (error instanceof OffstreamError) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (authenticationCodes.includes(code))
    return new PipelineError(
      'AUTHENTICATION_FAILED',
      `The database at \`${uri}\` rejected \`${user}\`: ${messageOf(error)}`,
      {
        hint: 'check `lake.catalog.user`, the password, and the `pg_hba.conf` of the server',
        cause: error,
      },
    )
  if (isCertificateCode(code))
    return new PipelineError(
      'CERTIFICATE_REJECTED',
      `The TLS connection to the database at \`${uri}\` was rejected: ${messageOf(error)}`,
      { hint: 'check `lake.catalog.tls.caFile` and the host name in `lake.catalog.uri`', cause: error },
    )
  return new PipelineError(
    'CATALOG_UNREACHABLE',
    `Could not connect to the database at \`${uri}\`: ${messageOf(error)}`,
    { hint: 'check `lake.catalog.uri`, and whether the server runs and has this database', cause: error },
  )
}
