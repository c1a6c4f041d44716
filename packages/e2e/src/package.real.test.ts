import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freePortSettings } from './stack.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let directory: string

/** The installed command. Nothing of the repository is reachable from its folder. */
const offstream = (...args: string[]) =>
  execa('npx', ['--no-install', 'offstream', ...args], { cwd: directory, reject: false, stdin: 'ignore' })

beforeAll(async () => {
  // The path has a blank and a letter beyond ASCII, because real home folders have them.
  directory = await mkdtemp(join(tmpdir(), 'offstream é package-'))
  const { stdout } = await execa(
    'npm',
    ['pack', './packages/cli', '--json', '--pack-destination', directory],
    {
      cwd: root,
    },
  )
  // The build of the bundle prints lines before the JSON.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', filename], { cwd: directory })
})

afterAll(async () => {
  // A failed test may leave services.
  await offstream('down')
  await rm(directory, { recursive: true, force: true })
})

describe('offstream, packed and installed into an empty folder,', () => {
  test('prints its version and its help', async () => {
    const manifest = JSON.parse(await readFile(join(root, 'packages/cli/package.json'), 'utf8'))
    const [version, help] = [await offstream('--version'), await offstream('--help')]

    expect([version.stdout, version.exitCode, help.exitCode]).toEqual([manifest.version, 0, 0])
    expect(help.stdout).toContain('Usage: offstream [options] [command]')
  })

  test('installs no package of the workspace', async () => {
    const installed = await readdir(join(directory, 'node_modules'))
    expect(installed).toContain('offstream')
    expect(installed).not.toContain('@offstream')
  })

  test('loads every command', async () => {
    const { stdout } = await offstream('completion', 'bash')
    const [, names = ''] = /':'\) words='([^']+)'/.exec(stdout) ?? []
    const commands = names.split(' ').filter(name => name !== 'help')
    const statuses: (number | undefined)[] = []
    for (const name of commands) statuses.push((await offstream(name, '--help')).exitCode)

    expect(commands).toEqual(expect.arrayContaining(['up', 'demo', 'status', 'report']))
    expect(statuses).toEqual(commands.map(() => 0))
  })

  test('contains its locks, programs and views', async () => {
    const listed = JSON.parse((await offstream('runtime', 'list', '--json')).stdout)
    const doctor = JSON.parse((await offstream('doctor', '--json')).stdout)

    const ofLock = listed.runtimes.filter(({ use }: { use: string }) => use === 'used' || use === 'missing')
    const kinds = new Set(ofLock.map(({ name }: { name: string }) => name.split('-')[0]))
    // They are in the cache if another test used tables elsewhere.
    for (const additional of ['hadoop', 'iceberg', 'postgresql']) kinds.delete(additional)
    expect([...kinds].sort()).toEqual(['archives', 'connectors', 'ivy', 'kafka', 'spark'])
    expect(doctor.findings.find(({ name }: { name: string }) => name === 'Java')?.verdict).toBe('ok')
  })

  test('contains the worker thread that reads long files', async () => {
    const padding = 'x'.repeat(1_000_000)
    const codes = Array.from({ length: 20 }, (_, index) => `${10_000_000 + index}`)
    const lines = codes.map(code => JSON.stringify({ padding, code, brands: 'A' }))
    await writeFile(join(directory, 'long.jsonl'), lines.join('\n'))
    const { stdout, exitCode } = await offstream(
      ...['scrape', '--source', 'export', '--file', 'long.jsonl', '--dry-run'],
    )
    expect(exitCode).toBe(0)
    expect(stdout.split('\n').map(line => JSON.parse(line).code)).toEqual(codes)
  })

  test('runs the whole pipeline', async () => {
    const settings = (await freePortSettings(directory)).flatMap(setting => ['--set', setting])
    const { stdout, stderr, exitCode } = await offstream(
      'demo',
      '--limit',
      '20',
      '--down',
      '--json',
      ...settings,
    )

    expect([exitCode, exitCode === 0 ? '' : stderr + stdout]).toEqual([0, ''])
    const result = JSON.parse(stdout.split('\n').findLast(line => line.includes('"kind":"demo"')) ?? '{}')
    expect([result.status?.state, result.status?.flow.visible, result.rows?.length]).toEqual([
      'healthy',
      20,
      3,
    ])
    expect((await offstream('status', '--json')).exitCode).toBe(3)
  })

  test('creates a project whose settings apply', async () => {
    const { stdout, exitCode } = await offstream('init', '--contact', 'me@example.org')
    const shown = JSON.parse((await offstream('config', 'show', '--sources', '--json')).stdout)

    expect(exitCode).toBe(0)
    // All that the stream needs is in the package.
    expect(stdout.split('\n')).toEqual(
      expect.arrayContaining([
        'spark-jobs/stream.py',
        'spark-jobs/java_classes.py',
        'spark-jobs/offstream_jobs/job.py',
        'spark-jobs/ProductReader.java',
      ]),
    )
    expect([shown.file, shown.config.web.contact]).toEqual([
      join(directory, 'offstream.yaml'),
      'me@example.org',
    ])
    expect(shown.sources['web.contact'].kind).toBe('file')
    const template = await offstream('init', '--template', 'clickstream', 'shop')
    expect(template.stdout.split('\n')).toEqual(
      expect.arrayContaining(['events/clicks.jsonl', 'jobs/clicks.py', 'views/visits.sql']),
    )
  })
})
