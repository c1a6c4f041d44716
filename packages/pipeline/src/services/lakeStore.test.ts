import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { checkpointConf, checkStore, keysInEnvironment, keysInFile, keysText } from './lakeStore.ts'

const keys = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI', sessionToken: null }

const inStore = (...settings: readonly string[]) =>
  configOf([
    ...['lake.catalog.uri=postgresql://db/lake', 'lake.catalog.user=me', 'lake.warehouse=s3://bucket/lake'],
    ...settings,
  ])

test('the keys come from the environment, or from the section `default` of a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-keys-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(
    join(folder, 'credentials'),
    `[other]\naws_access_key_id = no\n${keysText(keys)}[last]\naws_secret_access_key = no\n`,
  )
  const environment = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_SESSION_TOKEN: 'token' }
  expect([
    keysInFile(inStore('lake.s3.credentialsFile=credentials'), folder),
    keysInFile(inStore(), folder),
    keysInEnvironment(environment),
    keysInEnvironment({ AWS_ACCESS_KEY_ID: 'id' }),
  ]).toEqual([keys, null, { accessKeyId: 'id', secretAccessKey: 'secret', sessionToken: 'token' }, null])
  expect(() => keysInFile(inStore('lake.s3.credentialsFile=none'), folder)).toThrow(
    expect.objectContaining({ code: 'FILE_MISSING' }),
  )
})

/** A store that answers every request with a status and a code. */
const storeThatAnswers = async (status: number, code: string) => {
  const requests: (string | undefined)[] = []
  const server = createServer((request, response) => {
    requests.push(request.url)
    response.writeHead(status).end(`<Error><Code>${code}</Code></Error>`)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const config = inStore(`lake.s3.endpoint=http://127.0.0.1:${port}`, 'lake.s3.pathStyle=true')
  return { config, requests }
}

test.each([
  [403, 'AccessDenied', 'ACCESS_DENIED'],
  [403, 'SignatureDoesNotMatch', 'AUTHENTICATION_FAILED'],
  [404, 'NoSuchBucket', 'WAREHOUSE_UNREACHABLE'],
])('a store that answers %i %s gives %s', async (status, answer, code) => {
  const { config, requests } = await storeThatAnswers(status, answer)
  await expect(checkStore(config, keys)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(answer),
  })
  expect(requests).toEqual(['/bucket?list-type=2&max-keys=1'])
})

test('if the checkpoint is in another bucket, that bucket is listed too', async () => {
  const { config, requests } = await storeThatAnswers(200, '')
  const withCheckpoint = (checkpoint: string) => ({ ...config, stream: { ...config.stream, checkpoint } })
  await checkStore(withCheckpoint('s3://bucket/checkpoint'), keys)
  await checkStore(withCheckpoint('s3://other/checkpoint'), keys)
  const list = '?list-type=2&max-keys=1'
  expect(requests).toEqual([`/bucket${list}`, `/other${list}`, `/bucket${list}`])
})

test('an error of the bucket of the checkpoint names its setting', async () => {
  const { config } = await storeThatAnswers(404, 'NoSuchBucket')
  const stream = { ...config.stream, checkpoint: 's3://other/checkpoint' }
  await expect(checkStore({ ...config, stream }, keys)).rejects.toMatchObject({
    code: 'WAREHOUSE_UNREACHABLE',
    message: expect.stringMatching(/^`s3:\/\/other\/checkpoint` at /),
    hint: expect.stringContaining('`stream.checkpoint`'),
  })
})

test('Spark gets the address of the store for a checkpoint in it, and no keys', () => {
  const settings = ['lake.s3.region=eu-west-3', 'lake.s3.endpoint=https://s3.example.org']
  const conf = checkpointConf(
    inStore('stream.checkpoint=s3://bucket/checkpoint', 'lake.s3.pathStyle=true', ...settings),
    '/tmp',
  )
  expect(
    Object.entries(conf).flatMap(([name, value]) =>
      name.startsWith('spark.hadoop.fs.s3a.') ? [[name.replace('spark.hadoop.fs.s3a.', ''), value]] : [],
    ),
  ).toEqual([
    ['aws.credentials.provider', 'software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider'],
    ['endpoint.region', 'eu-west-3'],
    ['endpoint', 'https://s3.example.org'],
    ['path.style.access', 'true'],
    ['buffer.dir', '/tmp'],
  ])
  expect(checkpointConf(inStore(), '/tmp')).toEqual({})
})

test('without keys a store only has to respond, because the machine may have a role', async () => {
  const { config } = await storeThatAnswers(403, 'AccessDenied')
  await expect(checkStore(config, null)).resolves.toBeUndefined()
  const nothing = inStore('lake.s3.endpoint=http://127.0.0.1:9', 'lake.s3.pathStyle=true')
  await expect(checkStore(nothing, null)).rejects.toMatchObject({ code: 'WAREHOUSE_UNREACHABLE' })
})
