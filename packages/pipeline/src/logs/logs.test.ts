import { appendFile, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { rotateLog } from '@offstream/runtime'
import { expect, test } from 'vitest'
import { type LogName, logNames, serviceNames } from '../names.ts'
import { Config } from '../project/config.ts'
import { services } from '../services/table.ts'
import { type LogEntry, type LogQuery, logFileOf, readLogs, writtenLogs } from './logs.ts'

const scratch = async () => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-logs-'))
  await mkdir(dirname(logFileOf(state, 'kafka')), { recursive: true })
  const write = (name: LogName, ...lines: readonly string[]) =>
    appendFile(logFileOf(state, name), lines.map(line => `${line}\n`).join(''))
  return {
    state,
    write,
    /** As the daemon does when a log has grown. */
    rotate: async (name: LogName) => {
      const file = logFileOf(state, name)
      await rotateLog(file, { maxBytes: (await stat(file)).size - 1, keep: 99 })
    },
    read: async (query: Partial<LogQuery> = {}) => {
      const entries: LogEntry[] = []
      for await (const some of readLogs(state, { ...everything, ...query })) entries.push(...some)
      return entries.map(shown)
    },
    /** The entries as they are printed, until the test has seen enough. */
    follow: (query: Partial<LogQuery> = {}) => {
      const stop = new AbortController()
      const entries = readLogs(state, { ...everything, ...query, follow: true, signal: stop.signal })
      return {
        next: async (count: number) => {
          const seen: string[] = []
          while (seen.length < count) {
            const { value, done } = await entries.next()
            if (done === true) break
            seen.push(...value.map(shown))
          }
          return seen
        },
        stop,
      }
    },
    [Symbol.asyncDispose]: () => rm(state, { recursive: true, force: true }),
  }
}

const everything: LogQuery = {
  names: logNames,
  since: null,
  tail: Number.POSITIVE_INFINITY,
  level: 'debug',
  grep: null,
  follow: false,
  signal: new AbortController().signal,
}

const shown = ({ service, message, stack }: LogEntry): string =>
  `${service}: ${message}${stack.length === 0 ? '' : ` +${stack.length}`}`

/** A line of log4j, so many seconds after ten o'clock. */
const line = (second: number, message: string, level = 'INFO') =>
  `${new Date(Date.UTC(2026, 10, 24, 10, 0, second)).toISOString()} ${level.padEnd(5)} Bee: ${message}`

test('the log file of each service is the one that the service writes', async () => {
  const runtimes = {
    java: 'java',
    javaVersion: '17.0.15',
    python: 'python3',
    sparkHome: '/spark',
    kafkaLibs: '/kafka',
    connectors: '/connectors',
    additionalJars: [],
    ivy: { settings: '/ivysettings.xml', cache: '/ivy/cache' },
  }
  const written = services({
    project: '/project',
    state: '/state',
    config: Config.parse({}),
    runtimes,
    archives: null,
  }).map(({ name, logFile }) => [name, logFile])
  const names = serviceNames.filter(name => !/-[23]$/.test(name))
  expect(written).toEqual(names.map(name => [name, logFileOf('/state', name)]))
})

test('entries of several logs come in the order of their moments', async () => {
  await using stack = await scratch()
  await stack.write('kafka', line(1, 'one'), line(4, 'four'), '\tat a.B', line(5, 'five'))
  await stack.write('zookeeper', 'WARNING: before all', line(2, 'two'), line(3, 'three'), line(6, 'six'))
  expect(await stack.read()).toEqual([
    'zookeeper: WARNING: before all',
    'kafka: one',
    'zookeeper: two',
    'zookeeper: three',
    'kafka: four +1',
    'kafka: five',
    'zookeeper: six',
  ])
  expect(await stack.read({ names: ['kafka'] })).toEqual(['kafka: one', 'kafka: four +1', 'kafka: five'])
})

test('the last entries of all logs together are the last of all entries', async () => {
  await using stack = await scratch()
  // Many blocks and pieces; moments that several logs share; traces; a service that says little.
  for (let piece = 0; piece < 4; piece++) {
    for (const [name, count] of [
      ['kafka', 400],
      ['zookeeper', 300],
      ['daemon', 5],
    ] as const) {
      const lines: string[] = []
      for (let n = 0; n < count; n++) {
        const grave = n % 7 === 0
        lines.push(
          line(
            100 * piece + Math.floor((100 * n) / count),
            `entry ${n} ${'.'.repeat(100)}`,
            grave ? 'ERROR' : 'INFO',
          ),
        )
        if (grave)
          lines.push('java.lang.IllegalStateException: no', '\tat a.B', 'Caused by: c', '\t... 1 more')
      }
      await stack.write(name, ...lines)
      await stack.rotate(name)
    }
  }
  for (const query of [{}, { level: 'error' as const }, { grep: /entry \d*7 / }, { grep: /^Caused by/ }]) {
    const all = await stack.read(query)
    for (const tail of [0, 1, 200, 10_000])
      expect(await stack.read({ ...query, tail })).toEqual(all.slice(-tail || all.length))
  }
})

test('entries before the given moment are omitted, and lines without a moment stay with their neighbours', async () => {
  await using stack = await scratch()
  await stack.write(
    'kafka',
    line(1, 'one'),
    'WARNING: like one',
    line(3, 'three'),
    'WARNING: like three',
    line(5, 'five'),
  )
  await stack.write('thrift', 'WARNING: like six', line(6, 'six'))
  await stack.write('daemon', line(2, 'two'))
  const since = new Date(Date.UTC(2026, 10, 24, 10, 0, 3))
  expect(await stack.read({ since })).toEqual([
    'kafka: three',
    'kafka: WARNING: like three',
    'kafka: five',
    'thrift: WARNING: like six',
    'thrift: six',
  ])
  expect(await stack.read({ since, tail: 2 })).toEqual(['thrift: WARNING: like six', 'thrift: six'])
  expect(await stack.read({ since: new Date(Date.UTC(2026, 10, 24, 11)) })).toEqual([])
})

test('entries are selected by their level, and by any of their lines', async () => {
  await using stack = await scratch()
  await stack.write(
    'kafka',
    line(1, 'quiet', 'DEBUG'),
    line(2, 'usual'),
    line(3, 'odd', 'WARN'),
    line(4, 'bad', 'ERROR'),
    'Caused by: a wasp',
  )
  await stack.write('daemon', 'has no level')
  expect(await stack.read({ names: ['kafka'], level: 'info' })).toEqual([
    'kafka: usual',
    'kafka: odd',
    'kafka: bad +1',
  ])
  expect(await stack.read({ level: 'warn' })).toEqual(['kafka: odd', 'kafka: bad +1'])
  expect(await stack.read({ names: ['daemon'], level: 'info' })).toEqual(['daemon: has no level'])
  expect(await stack.read({ grep: /^Caused by: a/ })).toEqual(['kafka: bad +1'])
  expect(await stack.read({ grep: /WARN .* odd$/ })).toEqual(['kafka: odd'])
})

test('the unfinished line at the end is read too', async () => {
  await using stack = await scratch()
  await writeFile(logFileOf(stack.state, 'kafka'), `${line(1, 'one')}\n${line(2, 'tw')}`)
  expect(await stack.read()).toEqual(['kafka: one', 'kafka: tw'])
})

test('following continues across rotations and with a log that appears later, until it is aborted', async () => {
  await using stack = await scratch()
  await stack.write('kafka', line(1, 'one'), line(2, 'two'))
  const followed = stack.follow({ names: ['kafka', 'thrift'], tail: 1 })
  expect(await followed.next(1)).toEqual(['kafka: two'])
  await stack.write('kafka', line(3, 'three'))
  await stack.rotate('kafka')
  await stack.write('kafka', line(4, 'four'), '\tat a.B')
  await stack.rotate('kafka')
  await stack.write('thrift', line(5, 'five'))
  await stack.write('kafka', line(6, 'six'))
  expect(await followed.next(4)).toEqual(['kafka: three', 'kafka: four +1', 'thrift: five', 'kafka: six'])
  const end = followed.next(1)
  followed.stop.abort()
  expect(await end).toEqual([])
})

test('a trace that is written in two parts is one entry while following', async () => {
  await using stack = await scratch()
  await stack.write('kafka', line(1, 'bad', 'ERROR'))
  const followed = stack.follow({ names: ['kafka'] })
  const seen = followed.next(2)
  await stack.write('kafka', '\tat a.B', '\tat c.D', line(2, 'two'))
  expect(await seen).toEqual(['kafka: bad +2', 'kafka: two'])
  followed.stop.abort()
  await followed.next(1)
})

test('an empty log is not listed', async () => {
  await using stack = await scratch()
  await stack.write('kafka', line(1, 'one'))
  await stack.write('thrift')
  expect(await writtenLogs(stack.state, logNames)).toEqual(['kafka'])
  expect(await stack.read({ names: ['thrift', 'zookeeper'] })).toEqual([])
})
