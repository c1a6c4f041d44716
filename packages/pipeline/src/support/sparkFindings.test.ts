import { expect, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { startKubernetes } from '../services/testKubernetes.ts'
import {
  addressFinding,
  clockFinding,
  resourceFinding,
  sparkFindings,
  warehouseFindings,
} from './sparkFindings.ts'

const now = new Date('2026-01-01T12:00:00Z')

test('executors on other machines need addresses that they can connect to', () => {
  const verdict = (hosts: readonly string[], ...settings: readonly string[]) => {
    const { verdict, hint } = addressFinding({ hosts }, configOf(settings))
    return [verdict, hint]
  }
  const rest = 'to an address that they can connect to'
  expect([
    verdict(['127.0.0.1']),
    verdict(['one.example.org']),
    verdict(['one.example.org'], 'spark.driverHost=10.0.0.2'),
    verdict(['one.example.org'], 'spark.driverHost=10.0.0.2', 'kafka.brokers=one:9092'),
    verdict(['one.example.org'], 'host=10.0.0.2'),
  ]).toEqual([
    ['ok', null],
    ['problem', `set \`spark.driverHost\` and \`kafka.brokers\`, or \`host\` ${rest}`],
    ['problem', `set \`kafka.brokers\`, or \`host\` ${rest}`],
    ['ok', null],
    ['ok', null],
  ])
})

test('a driver in the cluster needs addresses of the catalog and of Kafka that it can connect to', () => {
  const cluster = [
    ...['spark.master=yarn', 'spark.hadoopConfDir=conf', 'stream.deployMode=cluster'],
    ...[
      'stream.checkpoint=hdfs://name/checkpoint',
      'lake.warehouse=hdfs://name/lake',
      'lake.catalog.user=me',
    ],
  ]
  const finding = (...settings: readonly string[]) => {
    const { found, hint } = addressFinding(
      { hosts: ['one.example.org'] },
      configOf([...cluster, ...settings]),
    )
    return [found, hint]
  }
  expect([
    finding('lake.catalog.uri=postgresql://127.0.0.1:5432/lake'),
    finding('lake.catalog.uri=postgresql://db:5432/lake', 'kafka.brokers=one:9092'),
  ]).toEqual([
    [
      'the driver and the executors on other machines cannot connect to the catalog at `127.0.0.1:5432` and Kafka at `127.0.0.1:9092`',
      'set `lake.catalog.uri` and `kafka.brokers`, or `host` to an address that they can connect to',
    ],
    ['the driver and the executors connect to the catalog at `db:5432`', null],
  ])
})

test('executors on other machines need a warehouse that all machines can use', () => {
  const verdicts = (host: string, ...settings: readonly string[]) =>
    warehouseFindings({ hosts: [host] }, configOf(settings)).map(({ verdict }) => verdict)
  expect([
    verdicts('127.0.0.1'),
    verdicts('one.example.org'),
    verdicts('one.example.org', 'lake.warehouse=/shared/lake'),
  ]).toEqual([[], ['warning'], []])
})

test('a cluster without free cores or memory is a warning', () => {
  const verdict = (freeCores: number, freeMemory: number) =>
    resourceFinding({ what: 'Spark 4.1.1', freeCores, freeMemory }, configOf(['stream.executorCores=2']))
      .verdict
  expect([verdict(2, 1_024), verdict(1, 1_024), verdict(2, 1_023)]).toEqual(['ok', 'warning', 'warning'])
})

test('clocks that differ by more than a minute are a warning', () => {
  expect([
    clockFinding(new Date('2026-01-01T12:00:59Z'), now).verdict,
    clockFinding(new Date('2026-01-01T11:58:59Z'), now),
  ]).toMatchObject(['ok', { verdict: 'warning', found: expect.stringContaining('61 s') }])
})

test('the findings of Kubernetes have its version, and addresses that pods cannot connect to', async () => {
  await using api = await startKubernetes()
  const settings = [`spark.master=k8s://${api.address}`, 'spark.kubernetes.image=spark:4.1.1']
  const files = { tokenFile: api.tokenFile, caFile: api.caFile }
  const findings = async (...more: readonly string[]) => {
    const paths = Object.entries(files).map(([name, path]) => `spark.kubernetes.${name}=${path}`)
    const config = configOf([...settings, ...paths, ...more])
    return sparkFindings(config, '/project/.offstream', AbortSignal.timeout(10_000))
  }
  const addresses = ['spark.driverHost=10.0.0.2', 'kafka.brokers=one.example.org:9092']
  expect(await findings(...addresses)).toMatchObject([
    { name: 'Spark cluster', verdict: 'ok', found: expect.stringMatching(/^Kubernetes v1\.34\.0 at /) },
    { name: 'Spark addresses', verdict: 'ok' },
    { name: 'Spark clocks', verdict: 'ok' },
  ])
  // Although the API server is on this machine.
  expect((await findings('spark.driverHost=127.0.0.1'))[1]?.verdict).toBe('problem')
  expect(await findings(`spark.kubernetes.caFile=${api.tokenFile}`)).toEqual([])
})
