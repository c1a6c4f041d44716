import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { startKubernetes, type TestKubernetes } from '@offstream/pipeline/testKubernetes'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Pod } from 'kubernetes-models/v1/Pod'
import { expect, test } from 'vitest'
import { profileStack } from './profile.ts'
import type { ScratchStack } from './stack.ts'
import { streamOf } from './stream.ts'

// Values that occur nowhere else, so that a search finds only the secrets.
const secrets = { conf: 'canary-b1d5a3f0', password: 'canary-6c0e92b7' }

/** A database that accepts connections and never responds, so that the job waits after its Spark session has started. */
const startSilentDatabase = async () => {
  let connections = 0
  const server = createServer(socket => {
    connections += 1
    socket.on('error', () => undefined)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    [Symbol.asyncDispose]: async () => void server.close(),
  }
}

/** The values for the profile. */
const placesOf = ({ address, tokenFile, caFile }: TestKubernetes, databasePort: number) => ({
  ...{ apiServer: address, tokenFile, caFile, secret: secrets.conf, databasePort: String(databasePort) },
})

/** A home folder whose configuration for `kubectl` is useless. */
const homeIn = async (directory: string): Promise<string> => {
  const user = { name: 'any', user: { 'client-certificate': '/nothing', 'client-key': '/nothing' } }
  const context = { name: 'any', context: { cluster: 'any', user: 'any', namespace: 'other' } }
  const cluster = { name: 'any', cluster: { server: 'https://127.0.0.1:1' } }
  await mkdir(join(directory, 'home/.kube'), { recursive: true })
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'any' },
    ...{ clusters: [cluster], contexts: [context], users: [user] },
  }
  await writeFile(join(directory, 'home/.kube/config'), JSON.stringify(config))
  return join(directory, 'home')
}

interface Shown {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly folder: string
}

/**
 * Runs the job of the products with the command that offstream shows, until it has its executors and opens its first table,
 * and stops it.
 * @returns the command
 */
const runJob = async (
  stack: ScratchStack,
  api: TestKubernetes,
  connections: () => number,
): Promise<Shown> => {
  const shown = (await stack.json(['submit', '--dry-run'])) as Shown
  const { temporary, sparkConf } = directoriesOf(stateFolder(stack.directory, null))
  // What `submit` writes before it starts the job.
  await mkdir(temporary, { recursive: true })
  await mkdir(join(sparkConf, '..'), { recursive: true })
  await writeFile(sparkConf, stack.config.spark.conf.join('\n'))
  // The path of the token looks like a secret.
  const [file = '', ...args] = shown.command.map(arg =>
    arg.replace(/(?<=oauthTokenFile=)\[removed\]/, api.tokenFile),
  )
  const env = { ...shown.environment, HOME: await homeIn(stack.directory) }
  const job = execa(file, args, { env, extendEnv: false, cwd: shown.folder, reject: false, all: true })
  const exited = job.then(({ all, exitCode }) => {
    throw new Error(`spark-submit exited with ${exitCode}:\n${all}`)
  })
  const pods = () => api.existing().filter(key => key.includes('/pods/'))
  try {
    const started = until(async () => expect([pods().length, connections() > 0]).toEqual([2, true]), {
      ...{ what: 'two pods and a connection to the database', timeoutMs: 120_000 },
    })
    await Promise.race([started, exited])
  } finally {
    job.kill()
    await exited.catch(() => undefined)
  }
  return shown
}

test('Spark creates executors on Kubernetes that agree with its schema and the settings, and deletes them', async () => {
  await using api = await startKubernetes()
  await using database = await startSilentDatabase()
  await using stack = await profileStack('kubernetes', placesOf(api, database.port))
  await writeFile(join(stack.directory, 'password'), secrets.password)
  const shown = await runJob(stack, api, database.connections)

  expect(api.created.map(({ namespace, resource }) => `${namespace}/${resource}`).toSorted()).toEqual([
    ...['night/configmaps', 'night/pods', 'night/pods'],
  ])
  const of = (resource: string) =>
    api.created.filter(one => one.resource === resource).map(({ body }) => body as object)
  const pods = of('pods').map(body => new Pod(body))
  for (const object of [...pods, ...of('configmaps').map(body => new ConfigMap(body))]) object.validate()
  expect(() => new Pod({ spec: { containers: [{ name: 1 as unknown as string }] } }).validate()).toThrow()

  const ids = pods.map(({ metadata }) => metadata?.labels?.['spark-exec-id'])
  expect(ids.toSorted()).toEqual(['1', '2'])
  for (const { metadata, spec } of pods) {
    expect(metadata?.labels).toMatchObject({ 'spark-app-name': 'products-stream', 'spark-role': 'executor' })
    expect(spec).toMatchObject({ serviceAccountName: 'spark-executor', restartPolicy: 'Never' })
    expect(spec?.containers).toMatchObject([
      {
        ...{ image: 'registry.example.org/spark:4.1.1', args: ['executor'] },
        // Spark adds at least 384 MB for what Java needs in addition to the heap.
        resources: { requests: { cpu: '1', memory: '896Mi' }, limits: { memory: '896Mi' } },
      },
    ])
    const env = new Map(spec?.containers[0]?.env?.map(variable => [variable.name, variable]))
    expect(env.get('SPARK_DRIVER_URL')?.value).toMatch(/^spark:\/\/CoarseGrainedScheduler@127\.0\.0\.1:\d+$/)
    expect(env.get('SPARK_EXECUTOR_MEMORY')?.value).toBe('512m')
    expect(env.get('AWS_SECRET_ACCESS_KEY')).toEqual({
      name: 'AWS_SECRET_ACCESS_KEY',
      valueFrom: { secretKeyRef: { name: 'lake', key: 'key' } },
    })
  }

  const visible = JSON.stringify([api.created, shown])
  for (const secret of [api.token, ...Object.values(secrets)]) expect(visible).not.toContain(secret)
  // Nor do pods know folders of this machine.
  expect(JSON.stringify(api.created)).not.toContain('/offstream ')
  // The role in docs/clusters.md gives these.
  const needed = ['create configmaps', 'create pods', 'watch pods']
  const deletes = ['deletecollection configmaps', 'deletecollection pods']
  expect([...api.used]).toEqual(expect.arrayContaining([...needed, ...deletes]))
  const rest = ['list pods', 'delete pods']
  expect([...api.used].filter(one => ![...needed, ...deletes, ...rest].includes(one))).toEqual([])
  expect(api.existing()).toEqual([])
})

test('`doctor` reports missing permissions, addresses that pods cannot connect to, and a missing token', async () => {
  await using api = await startKubernetes()
  await using stack = await profileStack('kubernetes', placesOf(api, 1))
  const findings = async () => {
    const { findings } = await streamOf(stack).json('doctor')
    return findings.filter(({ name }: { readonly name: string }) => /spark-|^Spark (?!4)/.test(name))
  }
  api.denied.add('create pods')
  expect(await findings()).toMatchObject([
    { name: 'External spark-master', verdict: 'problem', found: expect.stringContaining('create pods') },
    { name: 'Spark cluster', verdict: 'ok', found: expect.stringMatching(/^Kubernetes v1\.34\.0 /) },
    { name: 'Spark addresses', verdict: 'problem' },
    { name: 'Spark clocks', verdict: 'ok' },
  ])
  await api[Symbol.asyncDispose]()
  expect(await findings()).toMatchObject([
    { name: 'External spark-master', verdict: 'problem', found: expect.stringContaining('cannot be read') },
  ])
})
