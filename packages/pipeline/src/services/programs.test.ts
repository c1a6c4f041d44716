import { expect, test } from 'vitest'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { defaultProgram, exportsOf, programConf } from './programs.ts'
import type { Stack } from './stack.ts'

const state = '/project/.offstream'

const stackOf = (settings: readonly string[], additionalJars: readonly string[] = []): Stack => ({
  ...{ project: '/project', state, config: configOf(settings), archives: null },
  runtimes: {
    ...{ java: 'java', javaVersion: '17', python: 'python', sparkHome: '/spark', kafkaLibs: '/kafka' },
    ...{ connectors: '/jars', additionalJars: [...additionalJars], ivy: { settings: '/i.xml', cache: '/ivy' } },
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
