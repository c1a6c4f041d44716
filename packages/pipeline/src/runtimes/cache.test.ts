import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { acquireLock, artifactLock, pythonOf } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { listRuntimes, pruneRuntimes, removeDamaged, verifyRuntimes } from './cache.ts'
import { jarSets, sitePackages, sparkFolder } from './distributions.ts'
import { findPython } from './toolchain.ts'

const emptyCache = async () => {
  const cache = await mkdtemp(join(tmpdir(), 'offstream-cache-'))
  onTestFinished(() => rm(cache, { recursive: true }))
  return { cache, environment: { OFFSTREAM_CACHE: cache, PATH: process.env['PATH'] } }
}

const write = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

/** Marks a folder as completely fetched. */
const complete = (folder: string): Promise<void> => write(join(folder, '.complete.json'), '{}')

const zeros = '000000000000'

/** Spark as pip records it: two files with digests, and one without. */
const writeSpark = async (cache: string): Promise<string> => {
  const python = await findPython(process.env)
  const packages = sitePackages(join(cache, await sparkFolder(python)), python)
  const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url')
  await write(join(packages, 'pyspark', 'a,b.jar'), 'jar')
  await write(join(packages, 'pyspark', 'sql.py'), 'sql')
  await write(
    join(packages, 'pyspark-4.1.1.dist-info', 'RECORD'),
    `"pyspark/a,b.jar",sha256=${digestOf('jar')},3\npyspark/sql.py,sha256=${digestOf('sql')},3\npyspark/sql.pyc,,\n`,
  )
  const folder = join(cache, await sparkFolder(python))
  await write(pythonOf(folder), '')
  await complete(folder)
  return packages
}

test('the list shows what is used, missing, unused and incomplete, and ignores other folders', async () => {
  const { cache, environment } = await emptyCache()
  const { kafka, connectors, postgresql } = await jarSets(environment)
  await complete(kafka.directory)
  await complete(postgresql.directory)
  await write(join(postgresql.directory, 'postgresql-42.7.14.jar'), '123')
  await write(join(kafka.directory, 'kafka_2.13-3.9.2.jar'), '1234')
  await complete(join(cache, `kafka-${zeros}`))
  await write(join(cache, `connectors-${zeros}.partial`, 'some.jar'), '12')
  await write(join(cache, 'photos', 'of-me.jpg'), '')
  const { runtimes, own } = await listRuntimes({ ...environment, SPARK_HOME: '/opt/spark' })

  const sorted = (rows: readonly (readonly unknown[])[]) => [...rows].map(row => row.join(' ')).sort()
  expect(
    sorted(runtimes.map(({ name, what, use, bytes }) => [name.split('-')[0], what, use, bytes])),
  ).toEqual(
    sorted([
      ['archives', 'start-up archives of the services', 'missing', 0],
      ['connectors', 'Spark connectors', 'incomplete', 2],
      ['connectors', 'Spark connectors', 'missing', 0],
      ['ivy', 'cache of Ivy, which downloads jars', 'missing', 0],
      ['kafka', 'Kafka', 'unused', 2],
      ['kafka', 'Kafka 3.9.2', 'used', 6],
      ['postgresql', 'PostgreSQL driver 42.7.14', 'used', 5],
    ]),
  )
  expect(runtimes.find(({ use, what }) => use === 'missing' && what === 'Spark connectors')?.path).toBe(
    connectors.directory,
  )
  expect(own).toEqual([{ variable: 'SPARK_HOME', path: '/opt/spark' }])
})

test('every file is compared with its digest, and damaged files are named', async () => {
  const { cache, environment } = await emptyCache()
  const packages = await writeSpark(cache)
  const before = await verifyRuntimes(environment)
  await write(join(packages, 'pyspark', 'sql.py'), 'other')
  await rm(join(packages, 'pyspark', 'a,b.jar'))
  const { kafka } = await jarSets(environment)
  const [first, ...others] = kafka.set.jars
  await complete(kafka.directory)
  await write(join(kafka.directory, first?.file ?? ''), 'forged')
  await write(join(kafka.directory, 'evil.jar'), '')
  await write(join(cache, 'ivy', 'jars', `org.example_${first?.file}`), 'forged')

  const problemsOf = (verified: typeof before) =>
    Object.fromEntries(verified.map(({ name, problems }) => [name.split('-')[0], problems]))
  expect(problemsOf(before)).toEqual({ spark: [] })
  expect(problemsOf(await verifyRuntimes(environment))).toEqual({
    spark: ['pyspark/a,b.jar is missing', 'pyspark/sql.py has changed'],
    kafka: [
      `${first?.file} has changed`,
      ...others.map(({ file }) => `${file} is missing`),
      'evil.jar is unexpected',
    ],
    ivy: [`jars/org.example_${first?.file} has changed`],
  })
})

test('a virtual environment whose Python is gone is damaged', async () => {
  const { cache, environment } = await emptyCache()
  await writeSpark(cache)
  const python = pythonOf(join(cache, await sparkFolder(await findPython(process.env))))
  await rm(python)
  // As after an update of the system's Python.
  await symlink('/nonexistent/python3.11', python)
  const verified = await verifyRuntimes(environment)
  expect(verified.map(({ problems }) => problems)).toEqual([
    ['bin/python links to a Python that does not exist'],
  ])
})

test('damaged folders are deleted, so that they are fetched again, with the connectors if Ivy is one of them', async () => {
  const { cache, environment } = await emptyCache()
  const { kafka, connectors } = await jarSets(environment)
  for (const folder of [kafka.directory, connectors.directory, join(cache, 'ivy')]) await complete(folder)
  const ivy = { name: 'ivy', path: join(cache, 'ivy'), what: '', files: 1, problems: ['a.jar has changed'] }
  await removeDamaged(environment, [ivy])

  expect(await readdir(cache)).toEqual([basename(kafka.directory)])
})

test('pruning deletes unused folders and those of incomplete fetches, but none that is in use', async () => {
  const { cache, environment } = await emptyCache()
  const { kafka } = await jarSets(environment)
  const inUse = join(cache, `kafka-${zeros}`)
  const beingFetched = join(cache, `connectors-${zeros}`)
  for (const folder of [kafka.directory, inUse, join(cache, `spark-3.5.0-py3.9-${zeros}`)])
    await complete(folder)
  for (const name of [beingFetched, `${beingFetched}.partial`, join(cache, `archives-${zeros}.partial`)])
    await write(join(name, 'half.jar'), '12345')
  await write(join(cache, 'photos', 'of-me.jpg'), '')
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()', `${inUse}/*`], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  await once(child, 'spawn')
  const lock = await acquireLock(artifactLock(beingFetched))
  onTestFinished(async () => {
    child.stdin.end()
    await once(child, 'exit')
  })

  const planned = await pruneRuntimes(environment, true)
  const untouched = await readdir(cache)
  const done = await pruneRuntimes(environment, false)
  await lock[Symbol.asyncDispose]()
  expect(done).toEqual(planned)
  expect(untouched).toHaveLength(8)
  expect([done.removed.map(({ name, bytes }) => [name, bytes]), done.kept]).toEqual([
    [
      [`archives-${zeros}.partial`, 5],
      [`spark-3.5.0-py3.9-${zeros}`, 2],
    ],
    [
      { name: `connectors-${zeros}`, why: 'it is being downloaded' },
      { name: `connectors-${zeros}.partial`, why: 'it is being downloaded' },
      { name: `kafka-${zeros}`, why: `in use by process ${child.pid}` },
    ],
  ])
  expect((await readdir(cache)).sort()).toEqual(
    [...done.kept.map(({ name }) => name), basename(kafka.directory), 'photos'].sort(),
  )
})

test('a Spark of this version for another Python stays as long as that Python exists', async () => {
  const { cache, environment } = await emptyCache()
  const own = await sparkFolder(await findPython(process.env))
  const [there, gone] = ['3.98', '3.99'].map(minor => own.replace(/-py[\d.]+-/, `-py${minor}-`))
  for (const name of [there, gone]) await complete(join(cache, name ?? ''))
  await write(join(cache, there ?? '', 'bin', 'python'), '')

  const { removed, kept } = await pruneRuntimes(environment, false)
  expect([removed.map(({ name }) => name), kept.map(({ name }) => name)]).toEqual([[gone], [there]])
})

test('a damaged folder is not deleted while a program runs from it', async () => {
  const { environment } = await emptyCache()
  const { kafka } = await jarSets(environment)
  await complete(kafka.directory)
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()', kafka.directory], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  await once(child, 'spawn')
  const damaged = {
    name: basename(kafka.directory),
    path: kafka.directory,
    what: '',
    files: 1,
    problems: ['x'],
  }

  await expect(removeDamaged(environment, [damaged])).rejects.toMatchObject({
    code: 'RUNTIME_IN_USE',
    outcome: 'refused',
  })
  child.stdin.end()
  await once(child, 'exit')
  await removeDamaged(environment, [damaged])
  await expect(readdir(kafka.directory)).rejects.toMatchObject({ code: 'ENOENT' })
})
