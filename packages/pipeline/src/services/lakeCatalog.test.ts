import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { directoriesOf, stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import {
  catalogAddress,
  databaseOf,
  forgetLakeSecrets,
  isLakeExternal,
  lakeConf,
  lakeFlags,
  librariesFor,
  prepareLake,
  saveLakeSecrets,
  warehouseOf,
} from './lakeCatalog.ts'
import { prepareMigration } from './lakeMigration.ts'

const scratch = async (): Promise<{ readonly project: string; readonly state: string }> => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-lake-'))
  onTestFinished(() => rm(project, { recursive: true }))
  return { project, state: stateFolder(project, null) }
}

const inDatabase = (warehouse: string, ...more: readonly string[]) =>
  configOf([
    ...['lake.catalog.uri=postgresql://db.example.org/lake', 'lake.catalog.user=me'],
    ...['lake.catalog.passwordVariable=LAKE_PW', `lake.warehouse=${warehouse}`, ...more],
  ])

const catalogConf = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name]) => /^spark\.sql\.catalog\.lake\.(uri|warehouse|jdbc\.(?!schema|App))/.test(name))
      .map(([name, value]) => [name.replace('spark.sql.catalog.lake.', ''), value]),
  )

test('without `lake.catalog.uri` the catalog is a SQLite file of the stack, and needs no other jars', () => {
  const [config, directories] = [configOf([]), directoriesOf('/project/.offstream')]
  expect(catalogConf(lakeConf(config, directories))).toEqual({
    uri: 'jdbc:sqlite:/project/.offstream/lake/catalog.db?journal_mode=WAL&busy_timeout=30000',
    warehouse: 'file:/project/.offstream/lake',
  })
  expect([isLakeExternal(config), librariesFor(config), lakeFlags(config, directories)]).toEqual([
    false,
    [],
    [],
  ])
})

test('with a database, Spark gets its address and user, and the driver the file with the password', () => {
  const directories = directoriesOf('/project/.offstream')
  const tls = ['lake.catalog.tls.enabled=true', 'lake.catalog.tls.caFile=ca.pem']
  const config = inDatabase('file:///shared/lake', ...tls)
  expect(catalogConf(lakeConf(config, directories))).toEqual({
    uri: 'jdbc:postgresql://db.example.org/lake',
    warehouse: 'file:/shared/lake',
    'jdbc.user': 'me',
    'jdbc.loginTimeout': '30',
    'jdbc.sslmode': 'verify-full',
    'jdbc.sslrootcert': '/project/ca.pem',
  })
  expect(lakeFlags(config, directories)).toEqual([
    '-Dorg.postgresql.pgpassfile=/project/.offstream/run/lake.pgpass',
  ])
  expect([librariesFor(config), catalogAddress(config, directories)]).toEqual([
    ['postgresql'],
    'postgresql://db.example.org/lake',
  ])
  const inStore = (...more: string[]) => librariesFor(inDatabase('s3://tables/lake', ...more))
  expect([inStore(), inStore('stream.checkpoint=s3://tables/checkpoint')]).toEqual([
    ['postgresql', 'icebergAws'],
    ['postgresql', 'icebergAws', 'hadoopAws'],
  ])
  expect(warehouseOf(inDatabase('/shared/lake'), directories)).toBe('/shared/lake')
  expect(catalogConf(lakeConf(inDatabase('hdfs://name:8020/lake'), directories))).toMatchObject({
    warehouse: 'hdfs://name:8020/lake',
  })
})

const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8)

test('a password of the environment is saved for later commands and for the driver, for this user alone, until it is deleted', async () => {
  const { project, state } = await scratch()
  const { lakeSecret, lakePasswords, run } = directoriesOf(state)
  const config = inDatabase(join(project, 'tables'))
  await saveLakeSecrets(config, state, { LAKE_PW: 'open:se\\same' })
  await prepareLake(config, state)
  await prepareLake(config, state)
  expect((await databaseOf(config, state, {}))?.password).toBe('open:se\\same')
  expect(await readFile(lakePasswords, 'utf8')).toBe('*:*:*:*:open\\:se\\\\same\n')
  expect([await modeOf(lakeSecret), await modeOf(lakePasswords), await readdir(project)]).toEqual([
    '600',
    '600',
    ['.offstream', 'tables'],
  ])
  const { lakeMigration } = directoriesOf(state)
  await mkdir(join(lakeMigration, 'run-killed'), { recursive: true })
  await writeFile(join(lakeMigration, 'run-killed', 'passwords'), 'open:se\\same')
  await forgetLakeSecrets(state)
  expect(await readdir(run)).toEqual([])
  await expect(databaseOf(config, state, {})).rejects.toMatchObject({ code: 'SECRET_MISSING' })
})

test('for a move between two catalogs, the driver finds the password of each', async () => {
  const { project, state } = await scratch()
  const [from, to] = ['db.example.org:5433/old', 'db.example.org/new'].map((address, index) => ({
    config: configOf([
      ...[`lake.catalog.uri=postgresql://${address}`, 'lake.catalog.user=me'],
      ...[`lake.warehouse=${project}/tables-${index}`, `lake.catalog.passwordFile=password-${index}`],
    ]),
    state,
  }))
  if (from === undefined || to === undefined) expect.fail()
  for (const index of [0, 1]) await writeFile(join(project, `password-${index}`), `secret:${index}\n`)
  const folder = await mkdtemp(join(project, 'migrate-'))
  const passwords = join(folder, 'passwords')
  expect(await prepareMigration(from, to, folder)).toEqual([`-Dorg.postgresql.pgpassfile=${passwords}`])
  expect(await readFile(passwords, 'utf8')).toBe(
    'db.example.org:5433:old:me:secret\\:0\ndb.example.org:5432:new:me:secret\\:1\n',
  )
  expect([await modeOf(passwords), await readdir(folder)]).toEqual(['600', ['passwords']])
  expect(await readdir(project)).toContain('tables-1')
})
