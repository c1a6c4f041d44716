import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { directoriesOf, stateFolder } from '../project/directories.ts'
import { loadProject } from '../project/project.ts'
import { type MigrationStep, migrateLake } from './migrate.ts'

const runtimesOf = (sparkHome: string) => ({
  ...{ java: 'java', javaVersion: '17', python: 'python', sparkHome, kafkaLibs: '/kafka' },
  ...{ connectors: '/jars', additionalJars: [], ivy: { settings: '/ivy.xml', cache: '/ivy' } },
})

/** Moves the tables of a project with a program in the place of Spark, a shell script. */
const migrateWith = async (script: string, profile = 'thrift: {port: 10001}') => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-migrate-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'offstream.yaml'), `profiles: {other: {${profile}}}\n`)
  const { catalog, run } = directoriesOf(stateFolder(directory, null))
  const program = join(directory, 'spark', 'bin', 'spark-submit')
  for (const folder of [dirname(catalog), dirname(program)]) await mkdir(folder, { recursive: true })
  await writeFile(catalog, '')
  await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
  const project = (name: string | null) => loadProject({ from: directory, environment: {}, profile: name })
  const steps: MigrationStep[] = []
  const moved = migrateLake({
    ...{ from: await project(null), to: await project('other') },
    fetchRuntimes: async () => ({ runtimes: runtimesOf(join(directory, 'spark')) }),
    onStep: step => steps.push(step),
  })
  await moved.catch(() => undefined)
  return { moved, steps, left: await readdir(run) }
}

const products = { name: 'lake.off.products', by: 'copy', rows: 2, checksum: '1-2' }
const line = (value: unknown) => `echo '${JSON.stringify(value)}'`

test('the steps and the result of the program are reported, and its folder is deleted', async () => {
  const step = { step: 'copy', table: 'lake.off.products' }
  const result = { tables: [products], others: ['lake.clicks.sessions'] }
  const { moved, steps, left } = await migrateWith([line(step), line(result)].join('\n'))
  expect([await moved, steps, left]).toEqual([result, [step], []])
})

test('an error of the program keeps its code', async () => {
  const error = { code: 'TABLE_IN_USE', message: 'another stream writes the tables' }
  const { moved } = await migrateWith(`${line(error)}\nexit 1`)
  await expect(moved).rejects.toMatchObject({
    ...{ code: 'TABLE_IN_USE', message: 'Another stream writes the tables' },
  })
})

test.each([
  ['crashes', 'echo Starting >&2; echo "Out of memory" >&2; exit 3', 'Out of memory'],
  [
    'fails after Spark has started',
    'echo Starting >&2; echo "migrate failed: locked"; exit 1',
    'migrate failed: locked',
  ],
  ['reports no result', 'echo Starting >&2; echo Stopped >&2', 'Stopped'],
])('a program that %s is a failure with its last log lines', async (_, script, last) => {
  const { moved, left } = await migrateWith(script)
  await expect(moved).rejects.toMatchObject({
    ...{ code: 'MIGRATION_FAILED', message: `The tables could not be moved: ${last}` },
    lastLogLines: ['Starting', last],
  })
  expect(left).toEqual([])
})

test('the program gets the configuration of the Hadoop cluster of the new tables', async () => {
  const { moved } = await migrateWith(
    'echo "in $HADOOP_CONF_DIR" >&2; exit 1',
    'spark: {hadoopConfDir: /hadoop}',
  )
  await expect(moved).rejects.toMatchObject({ message: 'The tables could not be moved: in /hadoop' })
})

test('tables are not moved out of a REST catalog, because no lock would stop its stream', async () => {
  const rest = await loadProject({
    from: tmpdir(),
    environment: {},
    settings: ['lake.catalog.uri=https://catalog.example.org', 'lake.warehouse=/shared/lake'],
  })
  const fetchRuntimes = async () => ({ runtimes: runtimesOf('/spark') })
  await expect(migrateLake({ from: rest, to: rest, fetchRuntimes })).rejects.toMatchObject({
    ...{ code: 'MIGRATION_REFUSED', message: expect.stringContaining('REST catalog') },
  })
})
