import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { OffstreamError } from '@offstream/runtime'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { checkKubernetes, kubernetesConf, kubernetesVariables } from './kubernetes.ts'
import { makeCertificates } from './testCertificates.ts'
import { startKubernetes, type TestKubernetes } from './testKubernetes.ts'

let api: TestKubernetes
let folder: string
beforeAll(async () => {
  api = await startKubernetes()
  folder = await mkdtemp(join(tmpdir(), 'offstream-kubernetes-'))
})
afterAll(async () => {
  await api?.[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const state = '/project/.offstream'

/** The code and the message of what the check throws; null if it resolves. */
const failure = async (settings: Readonly<Record<string, string>> = {}): Promise<unknown> => {
  const { master = `k8s://${api.address}`, ...rest } = settings
  const kubernetes = { tokenFile: api.tokenFile, caFile: api.caFile, namespace: 'night', ...rest }
  const values = Object.entries(kubernetes).map(([name, value]) => `spark.kubernetes.${name}=${value}`)
  try {
    await checkKubernetes(configOf([`spark.master=${master}`, ...values]), state)
    return null
  } catch (error) {
    return error instanceof OffstreamError ? [error.code, error.message] : error
  }
}

const fileWith = async (name: string, text: string): Promise<string> => {
  const file = join(folder, name)
  await writeFile(file, text)
  return file
}

test('a token with all permissions in the namespace is accepted', async () => {
  expect(await failure()).toBe(null)
})

test('a token that is wrong, missing, empty or has a line break is an error', async () => {
  const broken = await fileWith('broken', `${api.token}\n`)
  expect([
    await failure({ tokenFile: await fileWith('wrong', 'wrong') }),
    await failure({ tokenFile: 'nothing' }),
    await failure({ tokenFile: await fileWith('empty', '') }),
    await failure({ tokenFile: broken }),
  ]).toEqual([
    ['AUTHENTICATION_FAILED', `Kubernetes at \`${new URL(api.address).host}\` rejected the token`],
    ['FILE_MISSING', expect.stringMatching(/^`\/project\/nothing` cannot be read: /)],
    ['FILE_MISSING', expect.stringMatching(/ is empty$/)],
    ['FILE_MISSING', `\`${broken}\` contains a line break or a space`],
  ])
})

test('missing permissions are listed', async () => {
  api.denied.add('create pods').add('deletecollection configmaps')
  try {
    expect(await failure()).toEqual([
      'ACCESS_DENIED',
      'The user of `spark.kubernetes.tokenFile` cannot create pods, deletecollection configmaps in namespace `night`',
    ])
  } finally {
    api.denied.clear()
  }
})

test('another authority, another host name and a closed port are errors', async () => {
  const { port } = new URL(api.address)
  await using other = await startKubernetes()
  expect([
    await failure({ caFile: other.caFile }),
    await failure({ master: `k8s://https://localhost:${port}` }),
    await failure({ master: 'k8s://https://127.0.0.1:1' }),
  ]).toEqual([
    ['CERTIFICATE_REJECTED', expect.stringContaining('was rejected')],
    ['CERTIFICATE_REJECTED', expect.stringContaining('localhost')],
    ['SPARK_UNREACHABLE', expect.stringContaining('ECONNREFUSED')],
  ])
})

test('a server that is not an API server is an error', async () => {
  const { caFile, of } = await makeCertificates(folder, { page: 'IP:127.0.0.1' })
  const [cert, key] = await Promise.all([readFile(of.page.certFile), readFile(of.page.keyFile)])
  const server = createServer({ cert, key }, (_, response) => void response.end('<html>')).listen(0)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const master = `k8s://https://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect(await failure({ master, caFile })).toEqual([
    'SPARK_UNREACHABLE',
    expect.stringMatching(/ responds with another format$/),
  ])
})

test('the settings of Spark have absolute paths and no token, and `spark.conf` wins over defaults', () => {
  const settings = [
    'spark.kubernetes.namespace=night',
    'spark.kubernetes.image=spark:4.1.1',
    'spark.kubernetes.tokenFile=token',
    'spark.conf=[spark.executor.failuresValidityInterval=2h]',
  ]
  const kubernetes = configOf(['spark.master=k8s://https://api.example.org', ...settings])
  const yarn = configOf(['spark.master=yarn'])
  expect([kubernetesConf(kubernetes, state), kubernetesConf(yarn, state)]).toEqual([
    {
      'spark.kubernetes.namespace': 'night',
      'spark.kubernetes.container.image': 'spark:4.1.1',
      'spark.kubernetes.authenticate.oauthTokenFile': '/project/token',
      'spark.kubernetes.driver.service.deleteOnTermination': 'false',
      'spark.kubernetes.driver.ownPersistentVolumeClaim': 'false',
    },
    {},
  ])
  expect([kubernetesVariables(kubernetes), kubernetesVariables(yarn)]).toEqual([
    { KUBERNETES_AUTH_TRYKUBECONFIG: 'false', KUBERNETES_AUTH_TRYSERVICEACCOUNT: 'false' },
    {},
  ])
})
