import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { identify, processesNaming, type Service, Supervisor, until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { numberAt, portPaths } from '../project/paths.ts'
import { archivesFolder } from '../runtimes/archives.ts'
import type { Runtimes } from '../runtimes/distributions.ts'
import { ensureArchives, stopInterruptedArchives } from './archives.ts'

/** Spark: runs on and ignores TERM. */
const idle = `#!/bin/sh
trap '' TERM
while :; do sleep 1; done
`

/** Java: ZooKeeper, which answers `srvr`, or something that runs on. Both ignore TERM, and note that they were started. */
const fakeJava = (root: string): string => `#!${process.execPath}
const { appendFileSync, readFileSync } = require('node:fs')
process.on('SIGTERM', () => undefined)
setInterval(() => undefined, 1_000)
const file = process.argv.at(-1)
if (file.endsWith('zookeeper.properties')) {
  const [, port] = /^clientPort=(\\d+)$/m.exec(readFileSync(file, 'utf8'))
  const answer = socket => socket.once('data', () => socket.end('Mode: standalone'))
  require('node:net').createServer(answer).listen(Number(port), '127.0.0.1')
}
appendFileSync(${JSON.stringify(join(root, 'started'))}, file + '\\n')
`

/** A cache, and runtimes that are scripts. */
const scratchRuntimes = async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-archives-test-'))
  onTestFinished(async () => {
    await killAll(root)
    await rm(root, { recursive: true, force: true })
  })
  const write = async (name: string, script: string): Promise<string> => {
    const file = join(root, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, script)
    await chmod(file, 0o755)
    return file
  }
  const java = await write('java/bin/java', fakeJava(root))
  for (const name of ['spark-class', 'spark-submit']) await write(`spark/bin/${name}`, idle)
  const runtimes: Runtimes = {
    ...{ java, javaVersion: '17', python: 'python3', sparkHome: join(root, 'spark') },
    ...{ kafkaLibs: join(root, 'kafka'), connectors: join(root, 'connectors') },
    ivy: { settings: join(root, 'ivy.xml'), cache: join(root, 'ivy') },
  }
  return { root, cache: join(root, 'cache'), runtimes }
}

const killAll = async (folder: string): Promise<void> => {
  for (const pid of await processesNaming(folder)) process.kill(pid, 'SIGKILL')
}

/** Starts to make archives, and waits until ZooKeeper is ready and Kafka starting. @returns ZooKeeper's properties */
const interruptible = async ({ root, cache, runtimes }: Awaited<ReturnType<typeof scratchRuntimes>>) => {
  const abort = new AbortController()
  const making = ensureArchives(cache, runtimes, { signal: abort.signal })
  const outcome = expect(making).rejects.toThrow('interrupted')
  const properties = await until(
    async () => {
      const started = (await readFile(join(root, 'started'), 'utf8')).split('\n')
      if (!started.some(file => file.endsWith('kafka.properties'))) throw new Error('not yet')
      return readFile(started.find(file => file.endsWith('zookeeper.properties')) ?? '', 'utf8')
    },
    { what: 'Kafka to be started', timeoutMs: 10_000 },
  )
  return { abort, outcome, properties }
}

test('an interrupted run is killed at once: a second interrupt could not wait for services that ignore TERM', async () => {
  const scratch = await scratchRuntimes()
  const { abort, outcome } = await interruptible(scratch)
  const abortedAt = Date.now()
  abort.abort(new Error('interrupted'))
  await outcome
  expect(Date.now() - abortedAt).toBeLessThan(5_000)
  expect(await processesNaming(scratch.root)).toEqual([])
})

test('a run uses none of the default ports', async () => {
  const { abort, outcome, properties } = await interruptible(await scratchRuntimes())
  abort.abort(new Error('interrupted'))
  await outcome
  const port = Number(/^clientPort=(\d+)$/m.exec(properties)?.[1])
  const defaults = portPaths.map(path => numberAt(Config.parse({}), path))
  expect([port > 0, defaults.includes(port)]).toEqual([true, false])
})

test('what a killed run left is found by its mark and killed, with its files', async () => {
  const { root, cache, runtimes } = await scratchRuntimes()
  const scratch = `${archivesFolder(cache, runtimes)}.partial`
  await mkdir(join(scratch, '.offstream', 'data'), { recursive: true })
  const left = await abandoned(directoriesOf(join(scratch, '.offstream')).records, runtimes.java, root)
  // The next fetch of the same folder deletes the records before anything else.
  await rm(directoriesOf(join(scratch, '.offstream')).run, { recursive: true })

  expect(await stopInterruptedArchives(cache)).toBe(true)
  expect([await identify(left), existsSync(scratch)]).toEqual([null, false])
  expect(await stopInterruptedArchives(cache)).toBe(false)
})

/** Starts a service as a run would and forgets it, as a kill of the run does. @returns its pid */
const abandoned = async (records: string, file: string, root: string): Promise<number> => {
  const service: Service = {
    ...{ name: 'zookeeper', needs: [], port: null, logFile: join(root, 'zookeeper.log') },
    command: { file, args: ['kafka.properties'], env: { PATH: '/usr/bin:/bin' }, cwd: root },
    ready: async () => void (await readFile(join(root, 'started'))),
    ...{ startTimeoutMs: 10_000, stopTimeoutMs: 10_000 },
  }
  let pid = 0
  await new Supervisor({
    directory: records,
    onEvent: event => {
      if (event.kind === 'ready') pid = event.pid
    },
  }).start([service])
  return pid
}
