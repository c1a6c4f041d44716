import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import type { Stack } from '../services/stack.ts'
import { services } from '../services/table.ts'
import { shellText, shownCommand, withoutSecrets } from './shownCommand.ts'

const stackWith = (...settings: readonly string[]): Stack => ({
  ...{ project: '/project', state: '/project/.offstream', config: configOf(settings), archives: null },
  runtimes: {
    ...{ java: '/java/bin/java', javaVersion: '17.0.15', python: '/usr/bin/python3' },
    ...{ sparkHome: '/spark', kafkaLibs: '/kafka', connectors: '/jars', additionalJars: [] },
    ivy: { settings: '/ivy.xml', cache: '/ivy' },
  },
})

test('the shown command of a service without secrets is the one that starts it', async () => {
  const stack = stackWith()
  const [started] = services(stack).filter(({ name }) => name === 'products-stream')
  expect(await shownCommand(stack, 'products-stream', {})).toEqual(started?.command)
})

test('the name of the user, which desktops set as USERNAME, stays in the paths of the shown command', async () => {
  const stack = stackWith()
  const [started] = services(stack).filter(({ name }) => name === 'products-stream')
  expect(await shownCommand(stack, 'products-stream', { USERNAME: 'project' })).toEqual(started?.command)
})

test('a password is neither in the shown command nor in the one that starts the job', async () => {
  const stack = stackWith(
    ...['kafka.brokers=one:9093', 'kafka.sasl.mechanism=plain', 'kafka.sasl.username=reader'],
  )
  const environment = { OFFSTREAM_KAFKA_PASSWORD: 'canary-8b1f3a76' }
  const shown = await shownCommand(stack, 'products-stream', environment)
  expect(shown.args).toContain('/project/.offstream/run/kafka.client.properties')
  expect(JSON.stringify([shown, services(stack)])).not.toContain('canary')
})

test('the shown command of a program of the user has its options and arguments, without their secrets', async () => {
  const job = {
    ...{
      name: 'sessions',
      program: '/jobs/sessions.py',
      args: ['--api-token', 'canary'],
      directory: '/jobs',
    },
    ...{ cores: 3, memory: '512m', packages: [], pyFiles: [], once: false, webPort: 4041 },
    conf: { 'spark.hadoop.fs.s3a.secret.key': 'canary', 'spark.ui.port': '1' },
  }
  const { args, cwd } = await shownCommand(stackWith(), 'sessions', {}, [job])
  expect([cwd, args.slice(args.indexOf(job.program))]).toEqual([
    '/jobs',
    ['/jobs/sessions.py', '--api-token', '[removed]'],
  ])
  expect(args).toEqual(expect.arrayContaining(['spark.cores.max=3', 'spark.ui.port=4041']))
  expect(args.join()).not.toContain('canary')
})

test('secrets in a command are removed by their names, their forms and their values; the rest stays', () => {
  const { args, env } = withoutSecrets(
    {
      file: '/spark/bin/spark-submit',
      args: [
        ...[
          '--conf',
          'spark.hadoop.fs.s3a.secret.key=abc',
          '--conf',
          'spark.sql.catalog.lake.jdbc.password=p w',
        ],
        ...[
          '--conf',
          'spark.sql.catalog.lake.uri=jdbc:postgresql://me:hidden@db:5432/lake',
          '--auth-token',
          'xyz',
        ],
        ...['--topic', 'known-value', '/home/ann/spark-jobs/stream.py', '--driver-memory', '1g'],
      ],
      env: { PATH: '/home/ann/bin:/bin', AWS_SECRET_ACCESS_KEY: 'abc' },
      cwd: '/home/ann',
    },
    ['known-value'],
  )
  expect(args).toEqual([
    ...['--conf', 'spark.hadoop.fs.s3a.secret.key=[removed]'],
    ...['--conf', 'spark.sql.catalog.lake.jdbc.password=[removed]'],
    ...['--conf', 'spark.sql.catalog.lake.uri=jdbc:postgresql://[removed]@db:5432/lake'],
    ...['--auth-token', '[removed]', '--topic', '[removed]'],
    ...['/home/ann/spark-jobs/stream.py', '--driver-memory', '1g'],
  ])
  expect(env).toEqual({ PATH: '/home/ann/bin:/bin', AWS_SECRET_ACCESS_KEY: '[removed]' })
})

test('a shell runs the text of a command with exactly its arguments, environment and folder', () => {
  const cwd = mkdtempSync(join(tmpdir(), "offstream it's a "))
  onTestFinished(() => rmSync(cwd, { recursive: true }))
  const args = [
    '-e',
    'console.log(JSON.stringify([process.argv.slice(1), process.env, process.cwd()]))',
    '--',
  ]
  const words = [
    '--conf',
    'a=$HOME `x` "y"',
    '--name',
    "it's",
    '--flag',
    '--empty',
    '',
    '*',
    'two\nlines',
    '\\',
  ]
  const env = { NAME: 'two words', EMPTY: '' }
  const text = shellText({ file: process.execPath, args: [...args, ...words], env, cwd })
  const printed = execFileSync('sh', ['-c', text], { encoding: 'utf8' })
  expect(JSON.parse(printed)).toEqual([words, env, cwd])
})

test('the text of a command has an option with its value on each line', () => {
  const args = ['--name', 'bees', '--verbose', '--conf', 'a=b c', 'bees.py', '--limit', '3']
  expect(
    shellText({ file: '/spark/bin/spark-submit', args, env: { A: '1' }, cwd: '/project' }),
  ).toBe(`cd /project && env -i \\
  A=1 \\
  /spark/bin/spark-submit \\
  --name bees \\
  --verbose \\
  --conf 'a=b c' \\
  bees.py \\
  --limit 3`)
})
