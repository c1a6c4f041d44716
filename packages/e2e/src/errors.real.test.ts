import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdir, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createListener } from 'node:net'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { acquireLock, daemonResponds, until } from '@offstream/runtime'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Result, type ScratchStack, scratchStack } from './stack.ts'

const root = join(import.meta.dirname, '../../..')

let stack: ScratchStack
beforeAll(async () => {
  stack = await scratchStack()
})
afterAll(() => stack[Symbol.asyncDispose]())

/** The project in which an error is provoked. It has its own folder and the free ports of the stack. */
interface Place {
  readonly folder: string
  /** Runs `offstream <args> --json` in the folder. */
  readonly run: (args: readonly string[], options?: Parameters<ScratchStack['run']>[1]) => Promise<Result>
  /** Writes a file in the folder. @returns its path */
  readonly file: (name: string, content: string | Buffer) => Promise<string>
}

interface Provoked {
  readonly code: string
  readonly exit: number
  readonly by: (place: Place) => Promise<Result>
}

const dryRun = ['scrape', '--dry-run']
const api = (site: Site, ...selection: string[]) => [
  ...[...dryRun, '--source', 'api', '--set', `api.url=${site.address}`],
  ...(selection.length === 0 ? ['--codes', '3017620422003'] : selection),
]
const exported = (file: string) => [...dryRun, '--source', 'export', '--file', file]
const mirrored = (...settings: string[]) => [
  ...[...dryRun, '--source', 'topic', '--topic', 'theirs', '--brokers', '127.0.0.1:9', '--until-end'],
  ...settings.flatMap(setting => ['--set', setting]),
]

const sharedCatalog = [
  ...['--set', 'lake.catalog.uri=postgresql://127.0.0.1:9/lake'],
  ...['--set', 'lake.catalog.user=me', '--set', 'lake.warehouse=/shared'],
]

/** Errors that need no running service. */
const withoutServices: readonly Provoked[] = [
  { code: 'ADDRESS_INVALID', exit: 2, by: ({ run }) => run([...dryRun, '--url', 'products']) },
  {
    code: 'ALREADY_RUNNING',
    exit: 13,
    by: async ({ folder, run }) => {
      await using _ = await daemonIn(folder)
      return await run(['up', '--foreground'])
    },
  },
  {
    code: 'RESPONSE_TOO_LARGE',
    exit: 10,
    by: async ({ run }) => {
      const part = Buffer.alloc(1024 * 1024, ' ')
      await using site = await serve((_, response) => {
        for (let megabytes = 0; megabytes < 40; megabytes += 1) response.write(part)
        response.end()
      })
      return await run(api(site))
    },
  },
  {
    code: 'CACHE_UNWRITABLE',
    exit: 10,
    by: async ({ folder, run }) => {
      // A folder in place of a file cannot be removed as a file.
      await mkdir(join(folder, 'kafka-000000000000/.complete.json'), { recursive: true })
      return run(['runtime', 'prune'], { env: { OFFSTREAM_CACHE: folder } })
    },
  },
  {
    code: 'CATALOGUE_UNREADABLE',
    exit: 2,
    by: ({ run }) => run(['site', '--catalogue', 'nowhere.jsonl']),
  },
  {
    code: 'CHART_INVALID',
    exit: 5,
    by: async ({ file, run }) => {
      await file('charts/half.sql', 'SELECT 1')
      return run(['charts'])
    },
  },
  {
    code: 'FILE_EXISTS',
    exit: 2,
    by: async ({ file, run }) => {
      await file('Data-viz.twb', 'my work')
      return run(['tableau'])
    },
  },
  { code: 'CHART_UNKNOWN', exit: 2, by: ({ run }) => run(['charts', 'pie']) },
  {
    code: 'CHECKSUM_MISMATCH',
    exit: 11,
    by: async ({ folder, run }) => {
      await emptyRuntime(folder, run)
      return run(['runtime', 'verify'], { env: { OFFSTREAM_CACHE: folder } })
    },
  },
  {
    code: 'CHROMIUM_FAILED',
    exit: 6,
    by: async ({ run }) => {
      await using site = await serve((_, response) => response.writeHead(404).end())
      return await run([...dryRun, '--url', site.address, '--set', 'browser.executablePath=/bin/false'])
    },
  },
  {
    code: 'CHROMIUM_MISSING',
    exit: 6,
    by: ({ run }) => run([...dryRun, '--set', 'browser.executablePath=/nowhere/chromium']),
  },
  { code: 'CODE_UNKNOWN', exit: 2, by: ({ run }) => run(['explain', 'PORT_TOKEN']) },
  { code: 'CONFIG_INVALID', exit: 5, by: ({ run }) => run(['up', '--set', 'kafka.port=none']) },
  {
    code: 'CONFIRMATION_REQUIRED',
    exit: 2,
    by: async ({ file, run }) => {
      await file('.offstream/lake/catalog.db', 'x')
      return run(['reset', '--all'])
    },
  },
  {
    code: 'DOWNLOAD_FAILED',
    exit: 11,
    by: ({ folder, run }) =>
      run(['runtime', 'install'], {
        env: {
          OFFSTREAM_CACHE: join(folder, 'cache'),
          ...{ PIP_INDEX_URL: 'http://127.0.0.1:9/', PIP_RETRIES: '0', PIP_CONFIG_FILE: '/dev/null' },
        },
      }),
  },
  { code: 'FAULT_UNKNOWN', exit: 2, by: ({ run }) => run(['site', '--port', '0', '--fault', 'rain']) },
  {
    code: 'FILE_DAMAGED',
    exit: 12,
    by: async ({ file, run }) => {
      const packed = gzipSync('{"code":"3017620422003","brands":"A"}\n'.repeat(1_000))
      return run(exported(await file('damaged.jsonl.gz', packed.fill(0xff, 20, 40))))
    },
  },
  {
    code: 'FILE_MISSING',
    exit: 2,
    by: ({ run }) => run(mirrored('topic.tls.enabled=true', 'topic.tls.caFile=/nowhere/ca.pem')),
  },
  {
    code: 'CONNECTION_LOST',
    exit: 9,
    by: async ({ run }) => {
      await using site = await serve((_, response) => {
        response.writeHead(200, { 'content-length': '1000' })
        response.write('{"code":"3017620422003","brands":"A"}\n', () => response.destroy())
      })
      return await run(exported(`${site.address}/products.jsonl`))
    },
  },
  {
    code: 'FILE_TRUNCATED',
    exit: 12,
    by: async ({ file, run }) => run(exported(await file('truncated.parquet', 'PAR1'))),
  },
  {
    code: 'FORMAT_UNKNOWN',
    exit: 2,
    by: async ({ file, run }) => run(exported(await file('picture.png', Buffer.from([0x89, 0x50, 0x4e])))),
  },
  {
    code: 'HOME_INVALID',
    exit: 6,
    by: ({ folder, run }) => run(['runtime', 'install'], { env: { SPARK_HOME: folder } }),
  },
  {
    code: 'INDEX_INVALID',
    exit: 2,
    by: async ({ file, run }) =>
      run([...dryRun, '--source', 'export', '--deltas', await file('index.txt', '<html>')]),
  },
  {
    code: 'JAVA_MISSING',
    exit: 6,
    by: ({ folder, run }) => run(['up'], { env: { PATH: folder, JAVA_HOME: '' } }),
  },
  {
    code: 'KAFKA_UNREACHABLE',
    exit: 9,
    by: async ({ run }) => {
      await using site = await serve((_, response) => response.writeHead(404).end())
      return await run(['scrape', '--url', site.address])
    },
  },
  {
    code: 'CATALOG_UNREACHABLE',
    exit: 9,
    by: ({ run }) => run(['up', ...sharedCatalog], { env: { OFFSTREAM_LAKE_PASSWORD: 'any' } }),
  },
  {
    code: 'TABLE_ELSEWHERE',
    exit: 10,
    by: ({ run }) => run(['reset', '--table', '--yes', ...sharedCatalog]),
  },
  {
    code: 'MIGRATION_REFUSED',
    exit: 10,
    by: async ({ run, file }) => {
      await file('offstream.yaml', 'profiles: {other: {dashboard: {readOnly: true}}}')
      return await run(['lake', 'migrate', '--to', 'other'])
    },
  },
  {
    code: 'MAPPING_INVALID',
    exit: 5,
    by: ({ run }) => run(mirrored('topic.mapping.code=$.[')),
  },
  {
    code: 'MIRROR_LOOP',
    exit: 2,
    by: ({ run }) => {
      const own = ['--brokers', `127.0.0.1:${stack.config.kafka.port}`, '--topic', 'products-events']
      return run([...dryRun, '--source', 'topic', ...own, '--until-end'])
    },
  },
  { code: 'NOTHING_SELECTED', exit: 2, by: ({ run }) => run(['reset', '--yes']) },
  {
    code: 'NOT_A_SOURCE',
    exit: 2,
    by: async ({ run }) => {
      await using site = await serve((_, response) => response.writeHead(404).end('not here'))
      return await run(api(site, '--search', 'categories_tags_en=chocolates'))
    },
  },
  { code: 'NOT_RUNNING', exit: 3, by: ({ run }) => run(['submit']) },
  {
    code: 'SERVICES_RUNNING',
    exit: 13,
    by: async ({ folder, file, run }) => {
      await file('.offstream/lake/catalog.db', 'x')
      await using _ = await daemonIn(folder)
      return await run(['reset', '--all', '--yes'])
    },
  },
  {
    code: 'OPTIONS_CONFLICT',
    exit: 2,
    by: ({ run }) => run([...dryRun, '--category', 'spreads', '--brand', 'any']),
  },
  {
    code: 'OPTION_INVALID',
    exit: 2,
    by: ({ run }) => run([...dryRun, '--source', 'api', '--search', 'chocolat']),
  },
  { code: 'OPTION_MISSING', exit: 2, by: ({ run }) => run([...dryRun, '--source', 'api']) },
  {
    code: 'PATH_UNSUPPORTED',
    exit: 5,
    by: ({ run }) => run(['init', 'a,b']),
  },
  {
    code: 'PORT_TAKEN',
    exit: 7,
    by: async ({ run }) => {
      const holder = createListener()
      await once(holder.listen(0, '127.0.0.1'), 'listening')
      const { port } = holder.address() as AddressInfo
      try {
        return await run(['up', '--set', `kafka.port=${port}`])
      } finally {
        holder.close()
      }
    },
  },
  { code: 'PROFILE_UNKNOWN', exit: 2, by: ({ run }) => run(['down', '--profile', 'prd']) },
  {
    code: 'PROJECT_EXISTS',
    exit: 10,
    by: ({ run }) => run(['init', '--bare', '--yes']),
  },
  { code: 'PROJECT_MISSING', exit: 2, by: ({ run }) => run(['status', '--project', 'nowhere']) },
  {
    code: 'PROJECT_UNWRITABLE',
    exit: 10,
    by: async ({ file, run }) => run(['init', join(await file('a-file', ''), 'folder'), '--yes']),
  },
  {
    code: 'PYTHON_MISSING',
    exit: 6,
    by: async ({ folder, run }) => run(['up'], { env: { PATH: await pathWith(folder, ['java']) } }),
  },
  {
    code: 'PYTHON_VENV_MISSING',
    exit: 6,
    by: async ({ folder, file, run }) => {
      const { stdout: python } = await execa('python3', ['-c', 'import sys; print(sys.executable)'])
      // Debian's python3 without python3-venv fails the same way. `exec -a` keeps this script as `sys.executable`.
      const script = `#!/bin/bash
[[ "$*" == *"-m venv"* ]] && { echo 'No module named venv' >&2; exit 1; }
exec -a "$0" ${JSON.stringify(python)} "$@"
`
      await chmod(await file('bin/python3', script), 0o755)
      const env = {
        PATH: `${join(folder, 'bin')}:${process.env['PATH']}`,
        OFFSTREAM_CACHE: join(folder, 'cache'),
      }
      return run(['runtime', 'install'], { env })
    },
  },
  {
    code: 'JOB_NAME_INVALID',
    exit: 2,
    by: async ({ file, run }) => run(['submit', await file('job.py', ''), '--name', 'Not a name']),
  },
  { code: 'JOB_UNKNOWN', exit: 2, by: ({ run }) => run(['jobs', 'stop', 'none']) },
  {
    code: 'RANGES_UNSUPPORTED',
    exit: 10,
    by: async ({ run }) => {
      await using site = await serve((_, response) => response.end(Buffer.from('PAR1 and more PAR1')))
      return await run(exported(`${site.address}/products.parquet`))
    },
  },
  {
    code: 'REDIRECTED_ELSEWHERE',
    exit: 10,
    by: async ({ run }) => {
      await using site = await serve((_, response) =>
        response.writeHead(302, { location: 'http://elsewhere.invalid/' }).end(),
      )
      return await run(exported(`${site.address}/products.jsonl`))
    },
  },
  {
    code: 'REPORT_UNWRITABLE',
    exit: 10,
    by: async ({ file, run }) => run(['report', '--output', await file('there.md', '')]),
  },
  {
    code: 'RUNTIME_IN_USE',
    exit: 10,
    by: async ({ folder, run }) => {
      const runtime = await emptyRuntime(folder, run)
      await using _ = await processNaming(join(runtime, 'a.jar'))
      return await run(['runtime', 'verify', '--repair'], { env: { OFFSTREAM_CACHE: folder } })
    },
  },
  {
    code: 'SECRET_MISSING',
    exit: 5,
    by: ({ run }) =>
      run(
        mirrored(
          ...['topic.sasl.mechanism=plain', 'topic.sasl.username=me', 'topic.sasl.passwordVariable=NO_SUCH'],
        ),
      ),
  },
  { code: 'SERVICE_UNKNOWN', exit: 2, by: ({ run }) => run(['restart', 'kavka']) },
  {
    code: 'SITE_UNREACHABLE',
    exit: 9,
    by: ({ run }) => run([...dryRun, '--url', 'http://127.0.0.1:9/']),
  },
  {
    code: 'SOURCE_BLOCKED',
    exit: 14,
    by: async ({ run }) => {
      await using site = await serve((_, response) => response.end('<html>Please stop crawling</html>'))
      return await run(api(site))
    },
  },
  {
    code: 'STACK_BUSY',
    exit: 13,
    by: async ({ folder, file, run }) => {
      await file('.offstream/lake/catalog.db', 'x')
      // The lock of a slow command that starts a daemon.
      await mkdir(join(folder, '.offstream/run'), { recursive: true })
      await using _ = await acquireLock(join(folder, '.offstream/run/daemon.lock'))
      return await run(['reset', '--all', '--yes'])
    },
  },
  {
    code: 'THRIFT_UNREACHABLE',
    exit: 9,
    by: ({ run }) => run(['query', 'SELECT 1']),
  },
  {
    code: 'TOKEN_FAILED',
    exit: 10,
    by: ({ run }) =>
      run(mirrored('topic.sasl.mechanism=oauthbearer', 'topic.sasl.tokenCommand=[sh, -c, exit 1]')),
  },
  { code: 'TERMINAL_REQUIRED', exit: 2, by: ({ run }) => run(['sql']) },
  { code: 'USAGE_INVALID', exit: 2, by: ({ run }) => run(['up', '--nope']) },
  {
    code: 'WAIT_TIMEOUT',
    exit: 8,
    by: ({ run }) => run(['wait', '--for', 'healthy', '--timeout', '1s']),
  },
]

/** Errors that need services or a terminal. Each has its own test below. */
const withServices = ['START_INTERRUPTED 13', 'DAEMON_LOST 1', 'NOT_CONFIRMED 130', 'SERVICE_EXITED 12']

/** Errors that only real data or a fault provokes, and the test files that do. */
const elsewhere: Readonly<Record<string, string>> = {
  'CURRENT_FOLDER_MISSING 2': 'packages/runtime/src/errors.test.ts',
  'TMPDIR_MISSING 6': 'packages/runtime/src/errors.test.ts',
  'ALL_SKIPPED 12': 'packages/cli/src/commands/scrape.test.ts',
  'ACCESS_DENIED 10': 'packages/pipeline/src/sources/topic.real.test.ts',
  'AUTHENTICATION_FAILED 10': 'packages/pipeline/src/sources/topic.real.test.ts',
  'CERTIFICATE_REJECTED 10': 'packages/pipeline/src/sources/topic.real.test.ts',
  'BROWSER_MISSING 6': 'packages/cli/src/openAddress.test.ts',
  'OUTPUT_UNWRITABLE 10': 'packages/cli/src/outputFile.test.ts',
  'STATEMENT_MISSING 2': 'packages/e2e/src/query.real.test.ts',
  'CHECKPOINT_DAMAGED 12': 'packages/e2e/src/repair.long.test.ts',
  'KAFKA_DATA_LOSS 12': 'packages/e2e/src/dataLoss.long.test.ts',
  'SNAPSHOT_UNKNOWN 2': 'packages/e2e/src/repair.long.test.ts',
  'STREAM_RUNNING 13': 'packages/e2e/src/repair.long.test.ts',
  'TABLE_IN_USE 13': 'packages/e2e/src/dataLoss.long.test.ts',
  'TABLE_NEWER 10': 'packages/e2e/src/dataLoss.long.test.ts',
  'TABLE_TAKEN 13': 'packages/e2e/src/rest.clusters.test.ts',
  'MIGRATION_FAILED 12': 'packages/pipeline/src/lake/migrate.test.ts',
  'OPTIMIZE_FAILED 12': 'packages/pipeline/src/lake/optimize.test.ts',
  'DISK_FULL 6': 'packages/runtime/src/artifacts/store.test.ts',
  'FOLDER_INSECURE 10': 'packages/runtime/src/daemon/daemon.test.ts',
  'FOLDER_REMOVED 12': 'packages/runtime/src/daemon/daemon.test.ts',
  'FOLDER_UNWRITABLE 10': 'packages/runtime/src/errors.test.ts',
  'DAEMON_FAILED 12': 'packages/runtime/src/daemon/daemon.test.ts',
  'DAEMON_UNRESPONSIVE 8': 'packages/runtime/src/daemon/daemon.test.ts',
  'GROUP_ACTIVE 13': 'packages/pipeline/src/topic/topic.real.test.ts',
  'JOB_RUNNING 13': 'packages/e2e/src/jobs.long.test.ts',
  'LAYOUT_CHANGED 14': 'packages/pipeline/src/sources/web/layout.real.test.ts',
  'LINES_REJECTED 10': 'packages/e2e/src/commands.real.test.ts',
  'MESSAGE_REJECTED 10': 'packages/pipeline/src/topic/topic.real.test.ts',
  'PRODUCTS_LOST 14': 'packages/pipeline/src/sources/web/removals.real.test.ts',
  'QUERY_TIMEOUT 8': 'packages/pipeline/src/table.real.test.ts',
  'RESET_REFUSED 10': 'packages/pipeline/src/stack/reset.test.ts',
  'SCRAPE_RUNNING 13': 'packages/pipeline/src/sources/web/resume.real.test.ts',
  'SERVICE_NOT_READY 8': 'packages/runtime/src/supervisor/supervisor.test.ts',
  'SETTINGS_DIFFER 10': 'packages/e2e/src/commands.real.test.ts',
  'SOURCE_DISALLOWED 10': 'packages/pipeline/src/sources/web/manners.real.test.ts',
  'SPARK_UNREACHABLE 9': 'packages/e2e/src/spark.clusters.test.ts',
  'SPARK_UNSUITABLE 10': 'packages/e2e/src/spark.clusters.test.ts',
  'SQL_FAILED 12': 'packages/pipeline/src/table.real.test.ts',
  'TABLE_MISSING 12': 'packages/e2e/src/life.real.test.ts',
  'TOPIC_EXISTS 10': 'packages/e2e/src/query.real.test.ts',
  'TOPIC_MISSING 2': 'packages/pipeline/src/sources/topic.real.test.ts',
  'TOPIC_DELETED 12': 'packages/pipeline/src/topic/topic.real.test.ts',
  'TOPIC_UNSUITABLE 10': 'packages/pipeline/src/services/kafkaCluster.real.test.ts',
  'WAREHOUSE_UNREACHABLE 9': 'packages/pipeline/src/services/lakeStore.test.ts',
  'TOPIC_UNREADABLE 12': 'packages/pipeline/src/sources/topic.real.test.ts',
}

/** The code of a bug in offstream. No test provokes it. */
const bug = 'UNEXPECTED 1'

test('every error code is provoked, with its exit status', async () => {
  const { stdout } = await stack.run(['explain', '--json'])
  const { codes } = JSON.parse(stdout) as { codes: { code: string; exitStatus: number }[] }
  const provoked = [
    ...withoutServices.map(({ code, exit }) => `${code} ${exit}`),
    ...withServices,
    ...Object.keys(elsewhere),
  ]
  expect([...provoked, bug].sort()).toEqual(
    codes.map(({ code, exitStatus }) => `${code} ${exitStatus}`).sort(),
  )
})

test.each(Object.entries(elsewhere))('%s is provoked by %s', (codeAndExit, file) => {
  const [code = ''] = codeAndExit.split(' ')
  expect(readFileSync(join(root, file), 'utf8').includes(`'${code}'`)).toBe(true)
})

describe.concurrent('without services', () => {
  test.each(withoutServices)('$code, exit $exit', async ({ code, exit, by }) => {
    const ran = await by(await placeOf(`${code}-${exit}`))
    const error = errorOf(ran)
    expect({ code: error.code, exit: ran.exitCode }).toEqual({ code, exit })
    expect(error.hint).not.toBe('')
    expect(await unknownCommands(error.hint)).toEqual([])
  })
})

test('NOT_CONFIRMED, exit 130: a question on a terminal is answered with no', async () => {
  const { folder, file } = await placeOf('not-confirmed')
  await file('.offstream/lake/catalog.db', 'x')
  // Python can run a program on a terminal. Node cannot.
  const onTerminal = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
  const { stdout, exitCode } = await execa(
    'python3',
    ['-c', onTerminal, process.execPath, offstream, 'reset', '--all'],
    { cwd: folder, input: 'n\n', reject: false, env: { CI: undefined, TERM: 'xterm' } },
  )
  expect([stdout, exitCode]).toEqual([expect.stringContaining('[NOT_CONFIRMED]'), 130])
  expect(existsSync(join(folder, '.offstream/lake/catalog.db'))).toBe(true)
})

test.skipIf(!existsSync('/dev/full'))('DISK_FULL, exit 6: the output goes to a full disk', async () => {
  const { folder } = await placeOf('disk-full')
  const command = `exec "$0" "$1" config show > /dev/full`
  const { stderr, exitCode } = await execa('sh', ['-c', command, process.execPath, offstream], {
    ...{ cwd: folder, reject: false },
  })
  expect([stderr, exitCode]).toEqual([expect.stringContaining('[DISK_FULL]'), 6])
})

test('SERVICE_EXITED, exit 12: the template of a service is invalid', async () => {
  const broken = join(stack.directory, 'config/zookeeper.properties')
  await mkdir(join(stack.directory, 'config'))
  await writeFile(broken, 'clientPort=nowhere\n')
  const ran = await stack.run(['up', '--json'])
  const error = errorOf(ran)
  await writeFile(broken, readFileSync(join(root, 'config/zookeeper.properties')))
  expect([error.code, ran.exitCode, error.lastLogLines.length > 0]).toEqual(['SERVICE_EXITED', 12, true])
  expect(await unknownCommands(error.hint)).toEqual([])
})

test('START_INTERRUPTED, exit 13: `down` during `up`', async () => {
  await using up = await startUp()
  expect((await stack.run(['down'])).exitCode).toBe(0)
  const ran = await up.result
  const error = errorOf(ran)
  expect([error.code, ran.exitCode, await unknownCommands(error.hint)]).toEqual(['START_INTERRUPTED', 13, []])
})

test('DAEMON_LOST, exit 1: the daemon is killed during `up`', async () => {
  await using up = await startUp()
  const daemon = (await stack.processes()).find(line => / daemon( |$)/.test(line)) ?? ''
  process.kill(Number.parseInt(daemon, 10), 'SIGKILL')
  const ran = await up.result
  const error = errorOf(ran)
  expect([error.code, ran.exitCode, await unknownCommands(error.hint)]).toEqual(['DAEMON_LOST', 1, []])
})

const offstream = join(root, 'packages/cli/bin/offstream.js')

const placeOf = async (name: string): Promise<Place> => {
  const folder = join(stack.directory, name.toLowerCase())
  await mkdir(folder)
  await copyFile(join(stack.directory, 'offstream.yaml'), join(folder, 'offstream.yaml'))
  return {
    folder,
    run: (args, options) => stack.run([...args, '--json'], { cwd: folder, ...options }),
    file: async (path, content) => {
      await mkdir(join(folder, path, '..'), { recursive: true })
      await writeFile(join(folder, path), content)
      return join(folder, path)
    },
  }
}

/** The error on the last line of the output. */
const errorOf = ({ stdout, shown }: Result) => {
  const last = JSON.parse(stdout.split('\n').at(-1) || 'null')
  if (last?.error === undefined) throw new Error(`the command printed no error:\n${shown}`)
  return last.error as { code: string; hint: string; lastLogLines: readonly string[] }
}

/** The arguments of each offstream command in a hint. */
const hintCommands = (hint: string): string[][] =>
  [...hint.matchAll(/`offstream ([^`]+)`/g)].map(([, words = '']) => words.split(' '))

/** The commands of a hint that do not exist, or do not have these options, according to `--help`. */
const unknownCommands = async (hint: string): Promise<string[]> => {
  const unknown: string[] = []
  for (const words of hintCommands(hint)) {
    const path = words.slice(0, words.findIndex(word => !/^[a-z]+$/.test(word)) >>> 0)
    const stdout = await helpOf(path)
    const [, known = '', takes = ''] = /^Usage: offstream ((?:[a-z]+ )*)(.*)/.exec(stdout) ?? []
    const isKnown = known.trim() === path.join(' ') || (known !== '' && /<\w+>|\[\w+\.\.\.\]/.test(takes))
    const options = words.filter(word => word.startsWith('-'))
    if (!isKnown || !options.every(option => new RegExp(`^ .*${option}\\b`, 'm').test(stdout)))
      unknown.push(words.join(' '))
  }
  return unknown
}

const helps = new Map<string, Promise<Result>>()
/** The help of a command. It is cached, because most hints name the same few commands. */
const helpOf = async (path: readonly string[]): Promise<string> => {
  const name = path.join(' ')
  const help = helps.get(name) ?? stack.run([...path, '--help'])
  helps.set(name, help)
  return (await help).stdout
}

interface Site extends AsyncDisposable {
  readonly address: string
}

/** A site with one answer for every request. */
const serve = async (answer: RequestListener): Promise<Site> => {
  const server = createServer(answer)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A process that has the path on its command line, until it is disposed of. */
const processNaming = async (path: string): Promise<AsyncDisposable> => {
  const idle = execa('tail', ['-f', '/dev/null', path], { reject: false })
  await once(idle, 'spawn')
  return {
    async [Symbol.asyncDispose]() {
      idle.kill()
      await idle
    },
  }
}

/** A daemon without services. */
const daemonIn = async (folder: string): Promise<AsyncDisposable> => {
  const daemon = stack.start(['daemon', '--project', folder])
  const { run } = directoriesOf(stateFolder(folder, null))
  await until(
    async () => {
      if (!(await daemonResponds(run))) throw new Error('the daemon does not respond')
    },
    { what: 'the daemon to respond', timeoutMs: 30_000 },
  )
  return daemon
}

/** `up`, once it starts the first service. */
const startUp = async () => {
  const up = stack.start(['up', '--json'])
  await until(async () => expect(up.stdout()).toContain('"kind":"starting"'), {
    what: 'the first start',
    timeoutMs: 60_000,
    intervalMs: 5,
  })
  return up
}

/** A cache whose folder of Kafka contains only the mark of a complete runtime. @returns the folder */
const emptyRuntime = async (cache: string, run: Place['run']): Promise<string> => {
  const listed = await run(['runtime', 'list'], { env: { OFFSTREAM_CACHE: cache } })
  const { runtimes } = JSON.parse(listed.stdout) as { runtimes: { name: string }[] }
  const { name = '' } = runtimes.find(({ name }) => name.startsWith('kafka-')) ?? {}
  await mkdir(join(cache, name))
  await writeFile(join(cache, name, '.complete.json'), '{}')
  return join(cache, name)
}

/** A PATH with only these programs. */
const pathWith = async (folder: string, programs: readonly string[]): Promise<string> => {
  const bin = join(folder, 'bin')
  await mkdir(bin)
  for (const program of programs) {
    const { stdout } = await execa('which', [program])
    await symlink(stdout, join(bin, program))
  }
  return bin
}
