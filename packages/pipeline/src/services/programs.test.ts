import { expect, test } from 'vitest'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { exportsOf } from './programs.ts'

const state = '/project/.offstream'

test('programs of the user get the catalog in a database, its jars, and the files with the secrets', () => {
  const config = configOf([
    ...['lake.catalog.uri=postgresql://db.example.org/lake', 'lake.catalog.user=me'],
    ...['lake.warehouse=s3://tables/lake'],
  ])
  const { variables, sparkConf } = exportsOf({
    ...{ project: '/project', state, config, archives: null },
    runtimes: {
      ...{ java: 'java', javaVersion: '17', python: 'python', sparkHome: '/spark', kafkaLibs: '/kafka' },
      ...{ connectors: '/jars', additionalJars: ['/pg', '/aws'], ivy: { settings: '/i.xml', cache: '/ivy' } },
    },
  })
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
