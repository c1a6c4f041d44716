import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { directoriesOf, stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { defaultProgram, exportsOf, prepareProgram, programConf } from './programs.ts'
import type { Stack } from './stack.ts'

const state = '/project/.offstream'

const stackOf = (settings: readonly string[], additionalJars: readonly string[] = []): Stack => ({
  ...{ project: '/project', state, config: configOf(settings), archives: null },
  runtimes: {
    ...{ java: 'java', javaVersion: '17', python: 'python', sparkHome: '/spark', kafkaLibs: '/kafka' },
    ...{
      connectors: '/jars',
      additionalJars: [...additionalJars],
      ivy: { settings: '/i.xml', cache: '/ivy' },
    },
  },
})

test('programs of the user get the catalog in a database, its jars, and the files with the secrets', () => {
  const settings = [
    ...['lake.catalog.uri=postgresql://db.example.org/lake', 'lake.catalog.user=me'],
    ...['lake.warehouse=s3://tables/lake'],
  ]
  const { variables, sparkConf } = exportsOf(stackOf(settings, ['/pg', '/aws']))
  const { lakePasswords, lakeKeys } = directoriesOf(state)
  expect(variables).toMatchObject({
    OFFSTREAM_CATALOG: 'postgresql://db.example.org/lake',
    OFFSTREAM_WAREHOUSE: 's3://tables/lake',
    PYSPARK_SUBMIT_ARGS: expect.stringMatching(
      `^--master \\S+ --driver-class-path '/jars/\\*:/pg/\\*:/aws/\\*' --driver-java-options '-Dorg\\.postgresql\\.pgpassfile=${lakePasswords} -Daws\\.sharedCredentialsFile=${lakeKeys} -Daws\\.profile=default' `,
    ),
  })
  expect(sparkConf).toMatchObject({
    'spark.sql.catalog.lake.uri': 'jdbc:postgresql://db.example.org/lake',
    'spark.executor.extraClassPath': '/jars/*:/pg/*:/aws/*',
    'spark.executor.extraJavaOptions': expect.stringContaining(`-Daws.sharedCredentialsFile=${lakeKeys}`),
  })
})

test('`spark.conf`, which programs of the user do not read, does not remove a default of theirs', () => {
  const own = ['spark.pyspark.python=/opt/python', 'spark.executor.failuresValidityInterval=2h']
  const settings = ['spark.master=yarn', 'spark.hadoopConfDir=/etc/hadoop', `spark.conf=[${own.join(',')}]`]
  expect(programConf(stackOf(settings), defaultProgram)).toMatchObject({
    ...{ 'spark.pyspark.python': 'python3', 'spark.executor.failuresValidityInterval': '1h' },
  })
})

const scratch = async (): Promise<string> => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-programs-'))
  onTestFinished(() => rm(project, { recursive: true }))
  return project
}

test('a program of the user finds the passwords of the catalog and of Kafka, also if no service runs here', async () => {
  const project = await scratch()
  await writeFile(join(project, 'password'), 'open-sesame\n')
  const stack = stackOf([
    ...['lake.catalog.uri=postgresql://db.example.org/lake', 'lake.catalog.user=me'],
    ...[`lake.warehouse=${project}/tables`, 'lake.catalog.passwordFile=password'],
    ...['kafka.brokers=one:9092', 'kafka.sasl.mechanism=plain', 'kafka.sasl.username=me'],
    'kafka.sasl.passwordFile=password',
  ])
  const state = stateFolder(project, null)
  await prepareProgram({ ...stack, project, state })
  const { lakePasswords, kafkaClient } = directoriesOf(state)
  for (const file of [lakePasswords, kafkaClient])
    expect(await readFile(file, 'utf8')).toContain('open-sesame')
})

test('a program of a running stack does not replace its keys with those of the shell', async () => {
  const project = await scratch()
  await writeFile(join(project, 'keys'), '[default]\naws_access_key_id = mine\naws_secret_access_key = own\n')
  await writeFile(join(project, 'password'), 'open-sesame\n')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'other')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'other')
  onTestFinished(() => void vi.unstubAllEnvs())
  const stack = stackOf([
    ...['lake.catalog.uri=postgresql://db.example.org/lake', 'lake.catalog.user=me'],
    ...['lake.catalog.passwordFile=password', 'lake.warehouse=s3://tables', 'lake.s3.credentialsFile=keys'],
  ])
  const state = stateFolder(project, null)
  await prepareProgram({ ...stack, project, state }, {})
  expect(await readFile(directoriesOf(state).lakeKeys, 'utf8')).toContain('aws_access_key_id = mine')
})

/** Instead of Java: writes to its last argument, and exits when two of them have been started. */
const twoCompilers = `#!/bin/sh
for last; do :; done
echo class > "$last"
: > "$0.$$"
while [ "$(ls "$0".* | wc -l)" -lt 2 ]; do sleep 0.01; done
`

test('two programs that start at the same moment both get the class for tokens', async () => {
  const project = await scratch()
  const state = stateFolder(project, null)
  const java = join(project, 'java')
  await writeFile(java, twoCompilers, { mode: 0o700 })
  const sasl = ['kafka.sasl.mechanism=oauthbearer', 'kafka.sasl.tokenCommand=[bin/token]']
  const { runtimes, ...stack } = stackOf(['kafka.brokers=one:9092', ...sasl])
  const prepare = () => prepareProgram({ ...stack, project, state, runtimes: { ...runtimes, java } })
  await Promise.all([prepare(), prepare()])
  const written = (await readdir(directoriesOf(state).run)).toSorted()
  expect(written).toEqual(['kafka.client.properties', 'kafka.token.jar'])
})
