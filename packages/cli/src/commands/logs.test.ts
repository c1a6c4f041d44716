import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { directoriesOf, type LogEntry, stateFolder } from '@offstream/pipeline'
import { expect, onTestFinished, test, vi } from 'vitest'
import { textFor } from '../logText.ts'
import { runCommand } from '../testCommand.ts'
import { startTimeOf } from './logs.ts'

/** A project with these logs. */
const projectWith = async (logs: Readonly<Record<string, readonly string[]>>): Promise<string> => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-logs-'))
  onTestFinished(() => rm(project, { recursive: true }))
  const folder = directoriesOf(stateFolder(project, null)).logs
  await mkdir(folder, { recursive: true })
  for (const [name, lines] of Object.entries(logs))
    await writeFile(join(folder, `${name}.log`), lines.map(line => `${line}\n`).join(''))
  return project
}

/** A time zone with an offset of 5:45 from UTC, without daylight saving time. */
const inKathmandu = () => {
  vi.stubEnv('TZ', 'Asia/Kathmandu')
  onTestFinished(() => void vi.unstubAllEnvs())
}

const logs = {
  kafka: [
    '2026-11-24T21:54:49.702Z INFO  KafkaServer: starting',
    '2026-11-24T21:54:49.834Z ERROR DataPlaneAcceptor: Unable to start acceptor for ListenerName(PLAINTEXT)',
    'org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:39092: Address already in use.',
    '\tat kafka.network.Acceptor.openServerSocket(SocketServer.scala:736)',
    'Caused by: java.net.BindException: Address already in use',
    '\tat java.base/sun.nio.ch.Net.bind0(Native Method)',
    '\t... 13 more',
  ],
  streaming: ['2026-11-24T21:54:49.800Z WARN  Bee: late'],
}

test('`logs` merges the logs of all services by time and shortens stack traces', async () => {
  inKathmandu()
  const { stdout, stderr } = await runCommand(['logs'], { project: await projectWith(logs) })
  expect(stripVTControlCharacters(stdout)).toBe(
    [
      '2026-11-25 03:39:49.702 kafka           INFO  KafkaServer: starting',
      '2026-11-25 03:39:49.800 products-stream WARN  Bee: late',
      '2026-11-25 03:39:49.834 kafka           ERROR DataPlaneAcceptor: Unable to start acceptor for ListenerName(PLAINTEXT)',
      '    org.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:39092: Address already in use.',
      '    Caused by: java.net.BindException: Address already in use',
      '    … 3 more lines, `--full` shows them',
      '',
    ].join('\n'),
  )
  expect(stderr).toBe('')
})

test('a single log is printed without its name, and --full prints whole stack traces', async () => {
  inKathmandu()
  const project = await projectWith(logs)
  const { stdout } = await runCommand(['logs', 'kafka', '--full', '-n', '1'], { project })
  expect(stripVTControlCharacters(stdout)).toBe(
    [
      '2026-11-25 03:39:49.834 ERROR DataPlaneAcceptor: Unable to start acceptor for ListenerName(PLAINTEXT)',
      ...logs.kafka.slice(2).map(line => `    ${line}`),
      '',
    ].join('\n'),
  )
})

test('control characters in a log do not reach a terminal, neither as text nor as JSON', async () => {
  const line = '2026-11-24T21:54:49.702Z INFO  KafkaServer: \u009b31mred\u0007\u007f'
  const project = await projectWith({ kafka: [line] })
  const { stdout: text } = await runCommand(['logs', 'kafka'], { project })
  expect(stripVTControlCharacters(text).match(/(?!\n)\p{Cc}/gu)).toBeNull()
  const { stdout } = await runCommand(['logs', 'kafka'], { project, json: true })
  expect(stdout.match(/(?!\n)\p{Cc}/gu)).toBeNull()
  expect(JSON.parse(stdout.split('\n')[0] ?? '')).toMatchObject({ message: '\u009b31mred\u0007\u007f' })
})

test('with --json each entry is an object on its own line, and the last line is the result', async () => {
  const project = await projectWith(logs)
  const { stdout } = await runCommand(['logs', '--level', 'warn'], { project, json: true })
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toEqual([
    {
      version: 1,
      kind: 'entry',
      service: 'products-stream',
      at: '2026-11-24T21:54:49.800Z',
      level: 'warn',
      logger: 'Bee',
      message: 'late',
      stack: [],
    },
    {
      version: 1,
      kind: 'entry',
      service: 'kafka',
      at: '2026-11-24T21:54:49.834Z',
      level: 'error',
      logger: 'DataPlaneAcceptor',
      message: 'Unable to start acceptor for ListenerName(PLAINTEXT)',
      stack: logs.kafka.slice(2),
    },
    { version: 1, kind: 'logs', entries: 2 },
  ])
})

test('`logs` prints 200 entries, or as many as --tail and --since select', async () => {
  const line = (n: number) => `2026-11-24T21:00:00.${String(n).padStart(3, '0')}Z INFO  Bee: ${n}`
  const project = await projectWith({ kafka: Array.from({ length: 300 }, (_, n) => line(n)) })
  const countOf = async (...options: readonly string[]) =>
    (await runCommand(['logs', ...options], { project })).stdout.split('\n').length - 1
  expect(await countOf()).toBe(200)
  expect(await countOf('--tail', '7')).toBe(7)
  expect(await countOf('--tail', 'all')).toBe(300)
  expect(await countOf('--since', '2026-11-24T21:00:00.050Z')).toBe(250)
  expect(await countOf('--since', '2026-11-24T21:00:00.050Z', '-n', '7')).toBe(7)
  expect(await countOf('--grep', ': \\d?5$')).toBe(10)
})

test('`logs` reports missing logs, and that no entry matches', async () => {
  const empty = await projectWith({})
  expect(await runCommand(['logs'], { project: empty })).toEqual({
    stdout: '',
    stderr: 'No logs yet. Next: `offstream up`\n',
    exitCode: 0,
  })
  const project = await projectWith(logs)
  expect(await runCommand(['logs', 'thrift', 'kafka', '--grep', 'wasp'], { project })).toEqual({
    stdout: '',
    stderr: 'thrift has no log yet.\nNo entries match. Next: `offstream logs --tail all`\n',
    exitCode: 0,
  })
})

test('invalid services, times, numbers and expressions are rejected', async () => {
  const project = await projectWith(logs)
  await expect(runCommand(['logs', 'wasps'], { project })).rejects.toMatchObject({
    code: 'SERVICE_UNKNOWN',
    outcome: 'usage',
  })
  for (const options of [
    ['--since', 'tomorrow'],
    ['--since', '2026-13-01'],
    ['--since', '25:00'],
    ['--since', ''],
    ['--tail', '-1'],
    ['--grep', '('],
    ['--level', 'loud'],
  ])
    await expect(runCommand(['logs', ...options], { project }), options.join(' ')).rejects.toMatchObject({
      code: 'commander.invalidArgument',
    })
})

test('--since takes durations, times of day and dates', () => {
  inKathmandu()
  const now = new Date('2026-11-24T21:40:00Z') // 03:25 on the 25th in Kathmandu
  const startOf = (text: string) => startTimeOf(text, now).toISOString()
  expect(startOf('90s')).toBe('2026-11-24T21:38:30.000Z')
  expect(startOf('1h30m')).toBe('2026-11-24T20:10:00.000Z')
  expect(startOf('2d')).toBe('2026-11-22T21:40:00.000Z')
  expect(startOf('3:00')).toBe('2026-11-24T21:15:00.000Z')
  expect(startOf('23:59:30')).toBe('2026-11-24T18:14:30.000Z')
  expect(startOf('2026-11-25')).toBe('2026-11-24T18:15:00.000Z')
  expect(startOf('2026-11-25 03:00')).toBe('2026-11-24T21:15:00.000Z')
  expect(startOf('2026-11-25T03:00:01.5')).toBe('2026-11-24T21:15:01.500Z')
  expect(startOf('2026-11-24T21:15Z')).toBe('2026-11-24T21:15:00.000Z')
  expect(startOf('2026-11-24T22:15+01:00')).toBe('2026-11-24T21:15:00.000Z')
})

test('log text has no control characters that a terminal interprets', () => {
  const entry: LogEntry = {
    service: 'kafka',
    at: null,
    level: null,
    logger: null,
    message: 'a\u001b[31mred\u001b[0m \u001b]0;title\u0007bee\u0008\u009b2J\tend\r',
    stack: ['\u0000'],
  }
  expect(textFor(['kafka'], false)(entry)).toContain(' ared bee�\tend�\n    �')
})
