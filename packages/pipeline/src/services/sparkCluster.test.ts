import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { directoriesOf, stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { pythonConf, streamSizeConf, writeOwnConf, yarnConf } from './sparkCluster.ts'

test('the job has the cores for the products on each worker, or the number and the size in its settings', () => {
  const size = ['stream.executors=3', 'stream.executorCores=2', 'stream.executorMemory=4g']
  expect([
    streamSizeConf(configOf([])),
    streamSizeConf(configOf(['spark.workers=3'])),
    streamSizeConf(configOf(['spark.master=spark://one:7077'])),
    streamSizeConf(configOf(size)),
    streamSizeConf(configOf([...size, 'spark.master=yarn'])),
    streamSizeConf(configOf([...size, 'spark.master=k8s://https://api.example.org'])),
  ]).toEqual([
    { 'spark.executor.memory': '1g', 'spark.cores.max': '2' },
    { 'spark.executor.memory': '1g', 'spark.cores.max': '6' },
    { 'spark.executor.memory': '1g' },
    { 'spark.executor.memory': '4g', 'spark.executor.cores': '2', 'spark.cores.max': '6' },
    { 'spark.executor.memory': '4g', 'spark.executor.cores': '2', 'spark.executor.instances': '3' },
    { 'spark.executor.memory': '4g', 'spark.executor.cores': '2', 'spark.executor.instances': '3' },
  ])
})

test('on YARN old failures do not count, unless `spark.conf` says so', () => {
  const [am, executors] = [
    'spark.yarn.am.attemptFailuresValidityInterval',
    'spark.executor.failuresValidityInterval',
  ]
  const yarn = ['spark.master=yarn', 'spark.hadoopConfDir=/etc/hadoop']
  expect([
    yarnConf(configOf([])),
    yarnConf(configOf(yarn)),
    yarnConf(configOf([...yarn, 'spark.queue=night', `spark.conf=[${am}=2h]`])),
  ]).toEqual([{}, { [am]: '1h', [executors]: '1h' }, { 'spark.yarn.queue': 'night', [executors]: '1h' }])
})

test('executors elsewhere have their own Python, unless `spark.conf` names one', () => {
  const names = (...settings: readonly string[]) =>
    pythonConf(configOf(['spark.master=spark://one:7077', ...settings]), '/here/python')
  expect([pythonConf(configOf([]), '/here/python'), names()]).toEqual([
    { 'spark.pyspark.driver.python': '/here/python', 'spark.pyspark.python': '/here/python' },
    { 'spark.pyspark.driver.python': '/here/python', 'spark.pyspark.python': 'python3' },
  ])
  expect(names('spark.conf=[spark.pyspark.python=./env/bin/python]')).toEqual({
    'spark.pyspark.driver.python': '/here/python',
  })
})

test('`spark.conf` is in a file that only this user can read, and not there without a value', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-spark-conf-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const state = stateFolder(folder, null)
  const { run, sparkConf } = directoriesOf(state)
  await mkdir(run, { recursive: true })
  await writeOwnConf(configOf(["spark.conf=[spark.a.password=canary\\x, 'spark.b= two']"]), state)
  expect([await readFile(sparkConf, 'utf8'), ((await stat(sparkConf)).mode & 0o777).toString(8)]).toEqual([
    'spark.a.password=canary\\\\x\nspark.b=\\ two\n',
    '600',
  ])
  await writeOwnConf(configOf([]), state)
  expect(await readdir(run)).toEqual([])
})
