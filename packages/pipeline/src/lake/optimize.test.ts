import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify, ServiceRecords, until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { optimizeTables } from './optimize.ts'

const config = Config.parse({ thrift: { port: 1 } })

/** A stack whose stream is a running process that does nothing. */
const stackWithStream = async () => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-optimize-'))
  onTestFinished(() => rm(state, { recursive: true }))
  const directories = directoriesOf(state)
  const self = (await identify(process.pid)) ?? expect.fail()
  await new ServiceRecords(directories.records).keep({
    ...{ name: 'products-stream', phase: 'running', ...self, port: null, logFile: '/dev/null', restarts: 0 },
    ...{ startedAt: new Date().toISOString(), detail: null },
  })
  const respond = async (error: string | null) => {
    const request = await until(() => readFile(directories.optimizeRequest, 'utf8'), {
      what: 'the request',
      timeoutMs: 5_000,
    })
    const now = new Date().toISOString()
    const progress = {
      ...{ version: 1, pid: process.pid, state: 'running', batchId: 1, offsets: {}, inputRows: 0 },
      ...{ rowsPerSecond: null, triggerMs: null, error: null, code: null, details: null, acceptedLosses: [] },
      ...{ upkeepError: null, optimized: { request, error }, executors: [], startedAt: now, updatedAt: now },
    }
    await writeFile(directories.streamProgress, JSON.stringify(progress))
  }
  return { state, directories, respond }
}

test('a running stream gets a request to rewrite its files, and the command ends with its response', async () => {
  const { state, directories, respond } = await stackWithStream()
  const [by] = await Promise.all([optimizeTables({ state, config }), respond(null)])
  expect(by).toBe('stream')
  await expect(readFile(directories.optimizeRequest)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('an error of the rewrite is the error of the command', async () => {
  const { state, respond } = await stackWithStream()
  const failed = expect(optimizeTables({ state, config })).rejects.toMatchObject({
    code: 'OPTIMIZE_FAILED',
    message: 'The tables could not be rewritten: No space left on device',
  })
  await respond('No space left on device')
  await failed
})

test('Ctrl-C withdraws a request that the stream has not read', async () => {
  const { state, directories } = await stackWithStream()
  const abort = new AbortController()
  const failed = expect(optimizeTables({ state, config }, abort.signal)).rejects.toThrow('Ctrl-C')
  await until(() => readFile(directories.optimizeRequest), { what: 'the request', timeoutMs: 5_000 })
  abort.abort(new Error('Ctrl-C'))
  await failed
  await expect(readFile(directories.optimizeRequest)).rejects.toMatchObject({ code: 'ENOENT' })
})

test('without a stream the Thrift server rewrites the files', async () => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-optimize-'))
  onTestFinished(() => rm(state, { recursive: true }))
  await expect(optimizeTables({ state, config })).rejects.toMatchObject({ code: 'THRIFT_UNREACHABLE' })
})
