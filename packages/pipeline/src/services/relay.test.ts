import { expect, test } from 'vitest'
import { directoriesOf } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { productsStream } from './productsStream.ts'
import type { Stack } from './stack.ts'

const state = '/project/.offstream'
const { run, streamProgress, lakePasswords, kafkaClient } = directoriesOf(state)

const commandWith = (...settings: readonly string[]) => {
  const stack: Stack = {
    ...{ project: '/project', state, archives: { folder: '/archives', made: ['products-stream'] } },
    config: configOf([
      ...['spark.master=yarn', 'spark.hadoopConfDir=/etc/hadoop', 'stream.deployMode=cluster'],
      ...['stream.checkpoint=hdfs://name/checkpoint', 'lake.warehouse=hdfs://name/lake'],
      ...['lake.catalog.uri=postgresql://db/lake', 'lake.catalog.user=me', ...settings],
    ]),
    runtimes: {
      ...{
        java: 'java',
        javaVersion: '17',
        python: '/venv/python',
        sparkHome: '/spark',
        kafkaLibs: '/kafka',
      },
      ...{ connectors: '/jars', additionalJars: ['/postgresql'] },
      ivy: { settings: '/ivy.xml', cache: '/ivy' },
    },
  }
  const { args } = productsStream(stack).command
  const end = args.indexOf('--')
  return { here: args.slice(0, end), inCluster: args.slice(end + 1) }
}

const optionOf = (args: readonly string[], option: string): string | undefined =>
  args[args.lastIndexOf(option) + 1]

test('a program on this machine submits the job to YARN, and both exchange files through a folder of the stack', () => {
  const { here, inCluster } = commandWith()
  expect([optionOf(here, '--master'), ...inCluster.slice(0, 7)]).toEqual([
    ...['local[1]', '/spark/bin/spark-submit', '--name', 'products-stream'],
    ...['--master', 'yarn', '--deploy-mode', 'cluster'],
  ])
  const tag = optionOf(here, '--tag')
  expect(tag).toMatch(/^offstream-[\da-f]{16}$/)
  expect(inCluster).toContain(`spark.yarn.tags=${tag}`)
  expect(inCluster).toContain(`spark.yarn.stagingDir=hdfs://name/checkpoint.${tag}`)
  expect([optionOf(here, '--exchange'), optionOf(inCluster, '--exchange')]).toEqual([
    `hdfs://name/checkpoint.${tag}`,
    `hdfs://name/checkpoint.${tag}`,
  ])
  expect([here, inCluster].map(args => optionOf(args, '--progress'))).toEqual([
    streamProgress,
    'products-stream.progress.json',
  ])
})

test('the driver in YARN gets no address and no path of this machine, except those of the files that are sent', () => {
  const { inCluster } = commandWith('kafka.brokers=one:9092', 'lake.catalog.tls.caFile=ca.pem')
  expect(optionOf(inCluster, '--archives')).toBe(`file://${run}/spark-jobs.zip#spark-jobs`)
  expect(optionOf(inCluster, '--files')?.split(',')).toEqual([
    expect.stringMatching(/^file:.*\/config\/spark\.log4j2\.properties$/),
    `file://${lakePasswords}`,
    `file://${kafkaClient}`,
    'file:///project/ca.pem#catalog.ca.pem',
  ])
  expect(optionOf(inCluster, '--kafka-client')).toBe('kafka.client.properties')
  expect(optionOf(inCluster, '--jars')).toBe('file:/jars/*.jar,file:/postgresql/*.jar')
  const options = inCluster.filter(arg => !/^file:|stream\.py$|spark-submit$/.test(arg)).join('\n')
  expect(options).toContain('-Dorg.postgresql.pgpassfile=lake.pgpass')
  expect(options).not.toMatch(/\/project|\/venv|127\.0\.0\.1|archives\/products/)
})

test('the file with `spark.conf` is for both programs', () => {
  const { here, inCluster } = commandWith('spark.conf=[spark.hadoop.canary.password=canary]')
  const file = directoriesOf(state).sparkConf
  expect([here, inCluster].map(args => optionOf(args, '--properties-file'))).toEqual([file, file])
  expect([...here, ...inCluster].join()).not.toContain('canary')
})
