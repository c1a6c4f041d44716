import { join } from 'node:path'
import { freePort } from '@offstream/pipeline/testKafka'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { installedPython } from './python.ts'

/** A server with the interface of S3 (moto, in memory) for one test file. It accepts all keys. */
export interface TestObjectStore extends AsyncDisposable {
  readonly endpoint: string
  /** The names of the objects in a bucket. */
  readonly objects: (bucket: string) => Promise<readonly string[]>
}

/** Starts the server on a free port, with an empty bucket. */
export const startObjectStore = async (bucket: string): Promise<TestObjectStore> => {
  const python = join(await installedPython('moto'), 'bin/python')
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const server = execa(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'ignore',
  })
  const request = async (path: string, method = 'GET'): Promise<string> => {
    const response = await fetch(`${endpoint}/${path}`, { method, headers: { authorization } })
    if (!response.ok) throw new Error(`${path} returned ${response.status}`)
    return response.text()
  }
  await until(() => request(bucket, 'PUT'), { what: 'moto to start', timeoutMs: 60_000 })
  return {
    endpoint,
    objects: async name =>
      [...(await request(`${name}?list-type=2`)).matchAll(/<Key>([^<]+)/g)].map(([, key = '']) => key),
    async [Symbol.asyncDispose]() {
      server.kill()
      await server
    },
  }
}

/** By this header moto knows which service of AWS is meant. */
const authorization =
  'AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=any'
