import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Config } from '../project/config.ts'
import { findJava } from '../runtimes/toolchain.ts'
import { examine, memory } from './doctor.ts'

// The doctor runs Java and Python and reads every process of the machine, which takes seconds on a busy one.
vi.setConfig({ testTimeout: 30_000 })

/** A port on which this process listens. */
const takenPort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return (server.address() as AddressInfo).port
}

const portFinding = async (port: number, ours: ReadonlySet<number>) => {
  const findings = await examine({
    config: Config.parse({ kafka: { port } }),
    environment: process.env,
    directory: tmpdir(),
    state: join(tmpdir(), 'offstream-nowhere'),
    ours: Promise.resolve(ours),
  })
  return findings.find(({ name }) => name === `Port ${port}`)
}

test('a taken port is reported with the process that listens on it and the setting to change it', async () => {
  const port = await takenPort()
  expect(await portFinding(port, new Set())).toEqual({
    name: `Port ${port}`,
    verdict: 'problem',
    found: `taken by \`node\`, pid ${process.pid}`,
    hint: 'stop that program, or choose another port with `--set kafka.port=…`',
  })
})

test('a port of a running service of the stack is ok', async () => {
  const port = await takenPort()
  expect(await portFinding(port, new Set([process.pid]))).toEqual({
    name: `Port ${port}`,
    verdict: 'ok',
    found: `used by this stack, pid ${process.pid} (kafka.port)`,
    hint: null,
  })
})

test('a Java that Spark does not support is a warning', async () => {
  const home = await mkdtemp(join(tmpdir(), 'offstream-java-'))
  onTestFinished(() => rm(home, { recursive: true }))
  await mkdir(join(home, 'bin'))
  await writeFile(join(home, 'bin', 'java'), `#!/bin/sh\necho 'openjdk version "25" 2025-09-16' >&2\n`, {
    mode: 0o755,
  })
  const findings = await examine({
    config: Config.parse({}),
    environment: { JAVA_HOME: home },
    directory: tmpdir(),
    state: join(tmpdir(), 'offstream-nowhere'),
    ours: Promise.resolve(new Set()),
  })
  expect(findings.find(({ name }) => name === 'Java')).toEqual({
    name: 'Java',
    verdict: 'warning',
    found: `25 (\`${join(home, 'bin', 'java')}\`)`,
    hint: 'install Java 17 or 21, which Spark supports, or set JAVA_HOME',
  })
})

const findingsIn = (environment: Readonly<Record<string, string | undefined>>) =>
  examine({
    ...{ config: Config.parse({}), environment, directory: tmpdir() },
    ...{ state: join(tmpdir(), 'offstream-nowhere'), ours: Promise.resolve(new Set<number>()) },
  })

test('a JAVA_HOME without a Java is a warning that names the Java in its place', async () => {
  const { PATH } = process.env
  const { path, version } = await findJava({ PATH })
  const findings = await findingsIn({ PATH, JAVA_HOME: '/nonexistent' })
  expect(findings.find(({ name }) => name === 'Java')).toEqual({
    name: 'Java',
    verdict: 'warning',
    found: `${version} (\`${path}\`); JAVA_HOME is \`/nonexistent\`, which does not contain a working Java`,
    hint: 'set JAVA_HOME to Java 17 or 21, or unset it',
  })
})

test('variables of the shell that services ignore are named, without secrets', async () => {
  const ignored = {
    PYSPARK_DRIVER_PYTHON: 'jupyter',
    SPARK_AUTH_SECRET: 'canary',
    KAFKA_OPTS: '-Dkey=canary',
  }
  const findings = await findingsIn({ PATH: process.env['PATH'], ...ignored })
  expect(findings.find(({ name }) => name === 'Shell')).toEqual({
    name: 'Shell',
    verdict: 'ok',
    found: 'services ignore `KAFKA_OPTS`, `PYSPARK_DRIVER_PYTHON=jupyter`, `SPARK_AUTH_SECRET`',
    hint: null,
  })
})

test('in a container the memory is its limit, not that of the machine', () => {
  expect(memory(64e9, 4e9)).toEqual({
    name: 'Memory',
    verdict: 'warning',
    found: '4.0 GB, the limit of this container; the machine has 64.0 GB',
    hint: 'raise the limit of the container, or lower the `memory` settings in `offstream.yaml`',
  })
  // Without a limit Node returns 0, nothing, or (cgroup v1) a number larger than every memory.
  for (const none of [0, undefined, 9_223_372_036_854_772_000])
    expect(memory(64e9, none)).toEqual({ name: 'Memory', verdict: 'ok', found: '64.0 GB', hint: null })
})

test('everything that a start needs is checked, and each problem comes with its fix', async () => {
  const findings = await examine({
    config: Config.parse({ browser: { executablePath: '/nowhere/chromium' } }),
    environment: process.env,
    directory: tmpdir(),
    state: join(tmpdir(), 'offstream-nowhere'),
    ours: Promise.resolve(new Set()),
  })
  expect(findings.map(({ name }) => name).filter(name => !name.startsWith('Port'))).toEqual([
    'Node',
    'Java',
    'Python',
    'Python venv',
    'Shell',
    'Chromium',
    'Memory',
    'Disk',
    'Folder',
    'File system',
  ])
  expect(findings.find(({ name }) => name === 'Chromium')).toMatchObject({
    verdict: 'warning',
    hint: expect.stringContaining('offstream'),
  })
  for (const { verdict, hint } of findings) expect(hint === null).toBe(verdict === 'ok')
})

test.skipIf(process.platform !== 'linux')('a folder that cannot be written is a problem', async () => {
  const state = join(await mkdtemp(join(tmpdir(), 'offstream-doctor-')), '.offstream')
  onTestFinished(() => rm(dirname(state), { recursive: true }))
  await mkdir(join(state, 'logs'), { recursive: true })
  const examined = async (ours: Promise<ReadonlySet<number>> = Promise.resolve(new Set())) => {
    const options = { config: Config.parse({}), environment: process.env, directory: dirname(state) }
    const findings = await examine({ ...options, state, ours })
    return findings.find(({ name }) => name === 'Folder')
  }
  expect(await examined()).toMatchObject({
    verdict: 'ok',
    found: `\`${dirname(state)}\` is writable`,
  })
  // Of a file system that can only be read by anybody, the administrator too.
  await rm(join(state, 'logs'), { recursive: true })
  await symlink('/proc/sys/kernel', join(state, 'logs'))
  const finding = await examined(Promise.reject(new Error('not to be read')))
  expect(finding).toMatchObject({ verdict: 'problem', hint: expect.stringContaining('folder') })
})
