import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { logFileOf } from '../logs/logs.ts'
import { serviceNames } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { loadProject } from '../project/project.ts'
import { workFolder } from '../services/sparkCluster.ts'
import { makeReport } from './report.ts'

// The doctor asks Java, Python and every process of the machine; on a busy one that takes its time.
vi.setConfig({ testTimeout: 60_000 })

const write = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

const reportOf = async (files: (state: string) => Readonly<Record<string, string>>) => {
  const home = await mkdtemp(join(tmpdir(), 'offstream-report-'))
  onTestFinished(() => rm(home, { recursive: true }))
  const directory = join(home, 'shop')
  const environment = {
    OFFSTREAM_WEB_CONTACT: 'planted-contact',
    OFFSTREAM_TOPIC_PASSWORD: 'planted-secret',
    SPARK_DIST_TOKEN: 'planted-token',
    GITHUB_TOKEN: 'planted-of-another-program',
    HTTPS_PROXY: 'http://joe:planted-proxy@proxy.example:3128',
    UNRELATED: 'unrelated to offstream',
  }
  await write(
    join(directory, 'offstream.yaml'),
    [
      ...['kafka: { port: 21 }', 'web: { url: "http://a:planted-url@127.0.0.1:1" }'],
      'spark: { conf: [spark.ssl.keyPassword=open planted-conf] }\n',
    ].join('\n'),
  )
  const project = await loadProject({ from: directory, environment })
  for (const [file, text] of Object.entries(files(project.state))) await write(file, text)
  return makeReport({
    project,
    environment,
    version: '1.2.3',
    at: new Date('2026-01-02T03:04:05Z'),
    known: { home, user: 'planted-user', host: 'planted-host.example' },
  })
}

test('a report holds versions, machine, settings with origins, status and the ends of all logs', async () => {
  const { text, sections } = await reportOf(state => ({
    [logFileOf(state, 'kafka')]: Array.from({ length: 300 }, (_, index) => `line ${index}\n`).join(''),
    [logFileOf(state, 'daemon')]: 'ERROR daemon: thrift exited and failed\n',
    [join(directoriesOf(state).sparkWork, 'app-1', '0', 'stderr')]: 'what the executor said ```\n',
  }))

  expect(sections.map(({ title }) => title)).toEqual([
    'Versions',
    'Machine (`offstream doctor`)',
    'Settings (`offstream config show --sources`)',
    'Environment',
    'Runtimes (`offstream runtime list`)',
    'Status (`offstream status --json`)',
    ...[...serviceNames, 'daemon'].map(name => `Log of ${name}, last 200 lines`),
    'Log of executor 0, last 200 lines',
  ])
  expect(text.split('\n')[0]).toBe('# Report of offstream 1.2.3, 2026-01-02T03:04:05.000Z')
  expect(text).toContain('| offstream | 1.2.3 |')
  expect(text).toContain(`| Node | ok | ${process.versions.node} |`)
  expect(text).toContain('| kafka.port | 21 | ~/shop/offstream.yaml:1 |')
  expect(text).toContain('"state": "stopped"')
  expect([text.includes('line 99\n'), text.includes('line 100\n'), text.includes('line 299\n')]).toEqual([
    false,
    true,
    true,
  ])
  expect(text).toContain('thrift exited and failed')
  expect(text).toContain('````\nwhat the executor said ```\n````')
  expect(text).not.toContain('unrelated to offstream')
})

test('a report has the logs of the newest job, of its executors on all workers', async () => {
  const { text } = await reportOf(state => {
    const log = (worker: 1 | 2, job: string, executor: string) =>
      join(workFolder(state, worker), job, executor, 'stderr')
    return {
      [log(1, 'app-20261127000001-0000', '0')]: 'older',
      [log(1, 'app-20261127000002-0000', '1')]: 'newest',
      [log(2, 'app-20261127000002-0000', '0')]: 'newest',
      [log(2, 'app-20261127000001-0001', '5')]: 'older',
    }
  })
  expect(text.match(/Log of executor \d|^newest$|^older$/gm)).toEqual([
    ...['Log of executor 1', 'newest', 'Log of executor 0', 'newest'],
  ])
})

test('secrets and the name of the user are nowhere in a report', async () => {
  const plants = [
    'planted-contact planted-secret planted-token planted-of-another-program',
    'INFO sasl.password=planted-password',
    'User-Agent: offstream (+planted.person@example.org)',
    'https://planted-name:planted-part@example.org/x',
    'acls of planted-user on planted-host',
    'started with open planted-conf',
    '\u001b[31m{"clientSecret":"planted-json"}\u001b[0m',
  ]
  const { text, removals } = await reportOf(state => ({
    [logFileOf(state, 'kafka')]: plants.join('\n'),
    [join(directoriesOf(state).sparkWork, 'app-1', '0', 'stderr')]: plants.join('\n'),
  }))

  expect(text.match(/.*planted.*/g)).toBeNull()
  expect(text.match(/[^~]\/shop/g)).toBeNull()
  expect(text).not.toContain('\u001b')
  expect(text).toMatch(new RegExp(`^${removals} values were removed`, 'm'))
})
