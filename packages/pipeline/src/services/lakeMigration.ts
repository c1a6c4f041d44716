import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'
import {
  databaseOf,
  keysOf,
  lakeFlags,
  passwordField,
  restOf,
  warehouseFolder,
  writeSecret,
} from './lakeCatalog.ts'
import { keysText } from './lakeStore.ts'
import type { Database } from './postgresql.ts'
import { secretOf } from './restCatalog.ts'

/**
 * Writes the secrets of two catalogs to a folder, for one program that opens both, and creates the folder of the new tables.
 * The AWS SDK has one pair of keys in a process, so both object stores must accept the same.
 * @returns the options of Java for that program
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const prepareMigration = async (
  from: Place,
  to: Place,
  folder: string,
): Promise<readonly string[]> => {
  const tables = warehouseFolder(to.config, directoriesOf(to.state))
  if (tables !== null) await mkdir(tables, { recursive: true })
  const { lakePasswords, lakeToken, lakeKeys } = migrationFiles(folder)
  const databases = await Promise.all([from, to].map(({ config, state }) => databaseOf(config, state)))
  const lines = databases.filter(database => database !== null).map(passwordLine)
  await writeSecret(lakePasswords, lines.length === 0 ? null : lines.join(''))
  const rest = await restOf(to.config, to.state)
  await writeSecret(lakeToken, rest && secretOf(rest))
  const keys = (await keysOf(to.config, to.state)) ?? (await keysOf(from.config, from.state))
  await writeSecret(lakeKeys, keys && keysText(keys))
  const flags = [from, to].flatMap(({ config }) => lakeFlags(config, { lakePasswords, lakeKeys }))
  return [...new Set(flags)]
}

/** The files with the secrets of a migration. A REST catalog can only be the new one. */
export const migrationFiles = (
  folder: string,
): Pick<Directories, 'lakePasswords' | 'lakeToken' | 'lakeKeys'> => ({
  lakePasswords: join(folder, 'passwords'),
  lakeToken: join(folder, 'token'),
  lakeKeys: join(folder, 'keys'),
})

/** A stack, as far as its tables are concerned. */
interface Place {
  readonly config: Pick<Config, 'lake'>
  readonly state: string
}

/** The line of a database in a file of passwords. */
const passwordLine = ({ uri, user, password }: Database): string => {
  const { hostname, port, pathname } = new URL(uri)
  const fields = [hostname.replace(/^\[|\]$/g, ''), port || '5432', pathname.slice(1), user, password]
  return `${fields.map(passwordField).join(':')}\n`
}
