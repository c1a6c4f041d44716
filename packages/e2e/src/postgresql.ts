import { chmod, chown, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificates } from '@offstream/pipeline/testCertificates'
import { freePort } from '@offstream/pipeline/testKafka'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import postgres, { type Sql } from 'postgres'

/** A server of PostgreSQL for one test file, with a database `lake` whose schema belongs to the user `offstream`. */
export interface TestPostgresql extends AsyncDisposable {
  /** `postgresql://host:port/lake` */
  readonly uri: string
  readonly user: string
  /** The authority that signed the certificate of the server, a PEM file. */
  readonly caFile: string
  /** A connection of the administrator. */
  readonly admin: Sql
  /** A new connection of the user, like that of a stream. */
  readonly connect: () => Sql
  /** Makes another database like `lake`. @returns its address */
  readonly makeDatabase: (name: string) => Promise<string>
  /** Stops the server. Disposal does it too. */
  readonly stop: () => Promise<void>
}

const admin = { username: 'admin', password: 'admin' }

/** PostgreSQL refuses to run as root. */
const userIds = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Starts Debian's PostgreSQL on a free port, in a temporary folder, with TLS and passwords. */
export const startPostgresql = async ({
  password,
}: {
  readonly password: string
}): Promise<TestPostgresql> => {
  const [programs, port] = [await programFolder(), await freePort()]
  const directory = await mkdtemp(join(tmpdir(), 'offstream-postgresql-'))
  const data = join(directory, 'data')
  const { caFile, of } = await makeCertificates(directory, { server: 'IP:127.0.0.1' })
  const files = { key: of.server.keyFile, passwords: join(directory, 'password') }
  await writeFile(files.passwords, admin.password)
  for (const file of Object.values(files)) await chmod(file, 0o600)
  for (const path of [directory, ...Object.values(files)]) await own(path)
  await execa(
    join(programs, 'initdb'),
    ['-D', data, '-U', admin.username, '--auth=scram-sha-256', `--pwfile=${files.passwords}`, '--no-sync'],
    { cwd: directory, ...userIds },
  )
  const settings = {
    ...{ port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' },
    ...{ ssl: 'on', ssl_cert_file: of.server.certFile, ssl_key_file: files.key },
  }
  const server = execa(
    join(programs, 'postgres'),
    ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { cwd: directory, reject: false, stdin: 'ignore', ...userIds },
  )
  const connection = (database: string, login: typeof admin = admin) =>
    postgres({ host: '127.0.0.1', port, database, ...login, onnotice: () => undefined })
  const stop = async () => {
    // A smart shutdown would wait for the clients.
    server.kill('SIGINT')
    await server
  }
  const first = connection('postgres')
  await until(() => first`SELECT 1`, { what: 'PostgreSQL to start', timeoutMs: 30_000 })
  await first.unsafe(`CREATE ROLE offstream LOGIN PASSWORD '${password}'`)
  await first.end()
  const makeDatabase = async (name: string): Promise<string> => {
    for (const [database, statement] of [
      ['postgres', `CREATE DATABASE ${name}`],
      [name, 'CREATE SCHEMA AUTHORIZATION offstream'],
    ] as const) {
      const sql = connection(database)
      await sql.unsafe(statement)
      await sql.end()
    }
    return `postgresql://127.0.0.1:${port}/${name}`
  }
  const uri = await makeDatabase('lake')
  const sql = connection('lake')
  return {
    ...{ uri, user: 'offstream', caFile, admin: sql, makeDatabase, stop },
    connect: () => connection('lake', { username: 'offstream', password }),
    async [Symbol.asyncDispose]() {
      await sql.end({ timeout: 1 })
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const own = async (path: string): Promise<void> => {
  if (userIds.uid !== undefined) await chown(path, userIds.uid, userIds.gid)
}

/** Debian has the programs of the server in a folder for each version, which is not in the `PATH`. */
const programFolder = async (): Promise<string> => {
  const versions = '/usr/lib/postgresql'
  const newest = (await readdir(versions).catch(() => []))
    .sort((one, other) => Number(one) - Number(other))
    .at(-1)
  if (newest === undefined) throw new Error('PostgreSQL is not installed: `sudo apt-get install postgresql`')
  return join(versions, newest, 'bin')
}
