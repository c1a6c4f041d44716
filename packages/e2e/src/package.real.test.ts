import { randomInt } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts, loadProject, settingPaths } from '@offstream/pipeline'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../../', import.meta.url))
let directory: string

/** The command as somebody has it who installed the package: nothing of the repository is in reach. */
const offstream = (...words: string[]) =>
  execa('npx', ['--no-install', 'offstream', ...words], { cwd: directory, reject: false, stdin: 'ignore' })

beforeAll(async () => {
  // With a space and a letter beyond ASCII, as folders of people have them: here the job and the settings lie in it too.
  directory = await mkdtemp(join(tmpdir(), 'offstream é package-'))
  const { stdout } = await execa(
    'npm',
    ['pack', './packages/cli', '--json', '--pack-destination', directory],
    {
      cwd: root,
    },
  )
  // What the build of the bundle says comes before.
  const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[\n')))
  await writeFile(join(directory, 'package.json'), '{ "private": true }\n')
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', filename], { cwd: directory })
})

afterAll(async () => {
  // Ends what a failed test left.
  await offstream('down')
  await rm(directory, { recursive: true, force: true })
})

describe('offstream, packed and installed into an empty folder,', () => {
  test('tells its version and its help', async () => {
    const { version } = JSON.parse(await readFile(join(root, 'packages/cli/package.json'), 'utf8'))
    const [told, help] = [await offstream('--version'), await offstream('--help')]

    expect([told.stdout, told.exitCode, help.exitCode]).toEqual([version, 0, 0])
    expect(help.stdout).toContain('Usage: offstream [options] [command]')
  })

  test('has no part of the workspace among what npm installed', async () => {
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

  test('brings its locks, programs and views, and finds them', async () => {
    const listed = JSON.parse((await offstream('runtime', 'list', '--json')).stdout)
    const doctor = JSON.parse((await offstream('doctor', '--json')).stdout)

    const ofLock = listed.runtimes.filter(({ use }: { use: string }) => use === 'used' || use === 'missing')
    expect(ofLock).toHaveLength(5)
    expect(doctor.findings.find(({ name }: { name: string }) => name === 'Java')?.verdict).toBe('ok')
  })

  test('brings the program of the thread that reads long files', async () => {
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
    const settings = (await freePortSettings()).flatMap(setting => ['--set', setting])
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

  test('makes a project of its own beside the package, whose settings hold', async () => {
    const { stdout, exitCode } = await offstream('init', '--contact', 'me@example.org')
    const shown = JSON.parse((await offstream('config', 'show', '--sources', '--json')).stdout)

    expect([exitCode, stdout.split('\n').includes('spark-jobs/stream.py')]).toEqual([0, true])
    expect([shown.file, shown.config.web.contact]).toEqual([
      join(directory, 'offstream.yaml'),
      'me@example.org',
    ])
    expect(shown.sources['web.contact'].kind).toBe('file')
  })
})

/** A free port for every service, from a random start, so that two runs side by side meet nowhere. */
const freePortSettings = async (): Promise<string[]> => {
  const first = 20_000 + 10 * randomInt(1_200)
  const paths = settingPaths.filter(path => /port$/i.test(path))
  const wished = paths.map((path, index) => `${path}=${first + index}`)
  const { config } = await loadProject({ from: directory, environment: {}, settings: wished })
  return [...wished, ...(await freePorts(config, new Set()))]
}
