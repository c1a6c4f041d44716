import { expect, test } from 'vitest'
import { configOf } from './layers.ts'
import { crossFieldProblems } from './rules.ts'

const problemsOf = (...settings: readonly string[]) => crossFieldProblems(configOf(settings))

test.each(['spark://one:7077', 'spark://one.example.org:7077,two:7078'])('%s can be a master', master => {
  expect(problemsOf(`spark.master=${master}`)).toEqual([])
})

const kubernetes = [
  ...['spark.master=k8s://https://api.example.org:6443', 'spark.driverHost=10.0.0.2'],
  ...['spark.kubernetes.image=registry.example.org/spark:4.1.1', 'spark.kubernetes.tokenFile=token'],
]
const lakeElsewhere = ['lake.catalog.uri=postgresql://db/lake', 'lake.catalog.user=offstream']

test('Kubernetes requires an image, a token, an address of the driver, and tables that pods can write to', () => {
  expect([
    problemsOf(...kubernetes, ...lakeElsewhere, 'lake.warehouse=s3://tables/lake', 'stream.executors=4'),
    problemsOf(...kubernetes, ...lakeElsewhere, 'lake.warehouse=hdfs://name/lake'),
    problemsOf(...kubernetes, ...lakeElsewhere, 'lake.warehouse=/shared/lake'),
    problemsOf('spark.master=k8s://https://api.example.org'),
  ]).toEqual([
    [],
    [],
    [expect.stringMatching(/^lake\.warehouse: must begin with s3:\/\/ or hdfs:\/\//)],
    [
      'spark.kubernetes.image: must be set if spark.master begins with k8s://',
      'spark.kubernetes.tokenFile: must be set if spark.master begins with k8s://',
      'spark.driverHost: must be set if spark.master begins with k8s://',
      expect.stringMatching(/^lake\.warehouse: must begin/),
    ],
  ])
})

test('settings of Kubernetes have no effect with another master', () => {
  expect(problemsOf('spark.kubernetes.namespace=night', 'spark.kubernetes.serviceAccount=spark')).toEqual([
    'spark.kubernetes.namespace: has no effect without a spark.master that begins with k8s://',
    'spark.kubernetes.serviceAccount: has no effect without a spark.master that begins with k8s://',
  ])
})

test.each([
  'one:7077',
  'spark://one',
  'local[2]',
  'mesos://one:5050',
  'k8s://one:6443',
  'k8s://http://one',
  '',
])('`%s` cannot be a master', master => {
  expect(() => configOf([`spark.master='${master}'`])).toThrow()
})

test('YARN requires the configuration of Hadoop, and has executors without a number of cores', () => {
  expect(problemsOf('spark.master=yarn')).toEqual([
    'spark.hadoopConfDir: must be set if spark.master is yarn',
  ])
  expect(
    problemsOf('spark.master=yarn', 'spark.hadoopConfDir=conf', 'spark.queue=night', 'stream.executors=4'),
  ).toEqual([])
})

test('a driver in YARN requires its checkpoint and the tables in HDFS and their catalog in PostgreSQL, and settings that send files are rejected', () => {
  const elsewhere = ['stream.checkpoint=hdfs://name/checkpoint', 'lake.warehouse=hdfs://name/lake']
  const yarn = ['spark.master=yarn', 'spark.hadoopConfDir=conf', ...elsewhere, ...lakeElsewhere]
  expect([
    problemsOf('stream.deployMode=cluster'),
    problemsOf('stream.deployMode=cluster', ...yarn),
    problemsOf('stream.deployMode=cluster', ...yarn, 'lake.catalog.uri=https://catalog.example.org'),
    problemsOf('stream.deployMode=cluster', ...yarn, 'spark.conf=[spark.yarn.tags=mine]'),
    problemsOf(...yarn, 'spark.conf=[spark.yarn.tags=mine]'),
  ]).toEqual([
    [
      'spark.master: must be yarn if stream.deployMode is cluster',
      'stream.checkpoint: must begin with hdfs:// if stream.deployMode is cluster',
      'lake.warehouse: must begin with hdfs:// if stream.deployMode is cluster',
    ],
    [],
    [
      'lake.catalog.uri: must begin with postgresql:// if stream.deployMode is cluster',
      expect.stringMatching(/^stream\.checkpoint: must not be set with a REST catalog/),
    ],
    ['spark.conf: offstream itself sets spark.yarn.tags if stream.deployMode is cluster'],
    [],
  ])
})

test('settings that contradict each other are problems', () => {
  expect(problemsOf('spark.driverHost=10.0.0.2', 'spark.queue=night', 'stream.executors=4')).toEqual([
    'spark.driverHost: has no effect without spark.master',
    'spark.queue: has no effect without spark.master: yarn',
    'stream.executorCores: must be set if stream.executors is set',
  ])
  expect(problemsOf('spark.master=spark://one:7077', 'spark.workers=3')).toEqual([
    'spark.workers: has no effect with spark.master',
  ])
})

test('the workers here must have the cores for the executors; an existing cluster reports its own', () => {
  const problemsOfSize = (executors: number, cores: number, ...settings: readonly string[]) =>
    problemsOf(`stream.executors=${executors}`, `stream.executorCores=${cores}`, ...settings)
  expect([
    problemsOfSize(2, 1),
    problemsOfSize(3, 2, 'spark.workers=3'),
    problemsOfSize(9, 9, 'spark.master=spark://one:7077'),
  ]).toEqual([[], [], []])
  expect([problemsOfSize(1, 3), problemsOfSize(3, 1), problemsOfSize(2, 2, 'spark.worker.cores=3')]).toEqual([
    ['stream.executorCores: must be at most spark.worker.cores (2)'],
    ['stream.executors: must be at most 2, which spark.workers and spark.worker.cores have room for'],
    ['stream.executors: must be at most 1, which spark.workers and spark.worker.cores have room for'],
  ])
})

test('settings of Spark that offstream sets itself are problems, with its own setting for them', () => {
  expect(
    problemsOf(
      'spark.conf=[spark.locality.wait=1s, spark.executor.memory=4g, spark.jars=x, spark.sql.catalog.lake.uri=x]',
    ),
  ).toEqual([
    'spark.conf: offstream itself sets spark.executor.memory; use stream.executorMemory',
    'spark.conf: offstream itself sets spark.jars',
    'spark.conf: offstream itself sets spark.sql.catalog.lake.uri',
  ])
})
