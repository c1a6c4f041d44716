import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

const files = ['checkpoints/products/0', 'lake/catalog.db', 'data/kafka/1', 'logs/kafka.log']

/** The folder of a project with a stopped stack. */
const project = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-reset-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  await writeFile(join(folder, 'offstream.yaml'), '')
  for (const file of files) {
    const path = join(folder, '.offstream', file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, 'x'.repeat(60_000))
  }
  return folder
}

const left = async (folder: string): Promise<string[]> => (await readdir(join(folder, '.offstream'))).sort()

test('`reset` without a selection lists the options', async () => {
  await expect(runCommand(['reset', '--yes'], { project: await project() })).rejects.toMatchObject({
    code: 'NOTHING_SELECTED',
    outcome: 'usage',
    hint: 'use `--table`, `--checkpoint`, `--topic` or `--all`; `--dry-run` only shows what would be deleted',
  })
})

test('`reset` without a terminal requires `--yes`, and deletes nothing', async () => {
  const folder = await project()
  await expect(runCommand(['reset', '--all'], { project: folder })).rejects.toMatchObject({
    code: 'CONFIRMATION_REQUIRED',
    outcome: 'usage',
    message: expect.stringMatching(
      /^2\d\d kB would be deleted permanently; confirmation requires a terminal$/,
    ),
  })
  expect(await left(folder)).toEqual(['checkpoints', 'data', 'lake', 'logs'])
})

test('`reset --dry-run` lists what would be deleted with its size, and deletes nothing', async () => {
  const folder = await project()
  const { stdout, exitCode } = await runCommand(['reset', '--table', '--dry-run'], { project: folder })
  expect([stdout.split('\n').map(line => line.trimEnd()), exitCode]).toEqual([
    [
      'size    what                                 where',
      '\\d+ kB  the position of the job in the topic  checkpoints/products',
      '\\d+ kB  the tables, and their catalog  lake',
      '',
    ].map(line => expect.stringMatching(new RegExp(line.replaceAll(/ +/g, ' +')))),
    0,
  ])
  expect(await left(folder)).toEqual(['checkpoints', 'data', 'lake', 'logs'])
})

test('`reset` makes the job replace a checkpoint in HDFS with an empty one', async () => {
  const folder = await project()
  await writeFile(
    join(folder, 'offstream.yaml'),
    'stream: { checkpoint: "hdfs://name.example.org/checkpoint" }',
  )
  for (const _ of [1, 2]) {
    await runCommand(['reset', '--checkpoint', '--yes'], { project: folder })
    expect(await readdir(join(folder, '.offstream/checkpoints/products'))).toEqual([])
  }
})

test('`reset --yes` also deletes dependent data, and `--json` lists it', async () => {
  const folder = await project()
  const { stdout } = await runCommand(['reset', '--table', '--yes'], { project: folder, json: true })
  const item = { what: expect.any(String), bytes: expect.any(Number) }
  expect(JSON.parse(stdout)).toEqual({
    ...{ version: 1, kind: 'reset', choices: ['table'], planned: [], bytes: expect.any(Number) },
    deleted: [
      { name: 'checkpoint', paths: ['checkpoints/products'], ...item },
      { name: 'table', paths: ['lake'], ...item },
    ],
  })
  expect(await left(folder)).toEqual(['data', 'logs'])
})

test('`reset` deletes no tables in a catalog that others may use', async () => {
  const folder = await project()
  await writeFile(
    join(folder, 'offstream.yaml'),
    'lake: {catalog: {uri: "postgresql://db/lake", user: me}, warehouse: /shared}',
  )
  await expect(runCommand(['reset', '--table', '--yes'], { project: folder })).rejects.toMatchObject({
    code: 'TABLE_ELSEWHERE',
    outcome: 'refused',
  })
  expect(await left(folder)).toEqual(['checkpoints', 'data', 'lake', 'logs'])
})

test('`reset` reports that there is nothing to delete', async () => {
  const folder = await project()
  const all = ['reset', '--all', '--yes']
  await runCommand(all, { project: folder })
  const { stderr, exitCode } = await runCommand(all, { project: folder })
  expect([stderr, exitCode, await left(folder)]).toEqual(['Nothing to delete.\n', 0, []])
})

test('`reset` completes a killed reset, also if its own selection is already gone', async () => {
  const folder = await project()
  const trash = join(folder, '.offstream/trash/reset-killed')
  await mkdir(join(trash, 'checkpoints'), { recursive: true })
  const paths = ['checkpoints/products', 'data/kafka', 'lake']
  await writeFile(join(trash, 'plan.json'), JSON.stringify({ version: 1, paths }))
  await rename(join(folder, '.offstream/checkpoints/products'), join(trash, 'checkpoints/products'))
  await runCommand(['reset', '--checkpoint', '--yes'], { project: folder })
  expect(await left(folder)).toEqual(['logs'])
})

test('`reset` without `--profile` does not touch the data of a profile', async () => {
  const folder = await project()
  await mkdir(join(folder, '.offstream/profiles/prod/lake'), { recursive: true })
  await runCommand(['reset', '--all', '--yes'], { project: folder })
  expect(await left(folder)).toEqual(['profiles'])
  expect(await readdir(join(folder, '.offstream/profiles/prod'))).toEqual(['lake'])
})

test('`reset` of one stack does not touch the other stacks of the project', async () => {
  const folder = await project()
  await mkdir(join(folder, '.offstream/stacks/other/lake'), { recursive: true })
  await runCommand(['reset', '--all', '--yes'], { project: folder, stack: 'other' })
  expect(await left(folder)).toEqual(['checkpoints', 'data', 'lake', 'logs', 'stacks'])
  expect(await readdir(join(folder, '.offstream/stacks/other'))).toEqual([])
})

test('`reset` fails, and a dry run warns, while services are running', async () => {
  const folder = await project()
  await new ServiceRecords(join(folder, '.offstream/run/services')).keep({
    ...{ name: 'kafka', phase: 'running', pid: 999_999_999, startId: 'once', port: 1, logFile: '' },
    ...{ startedAt: null, restarts: 0, detail: null },
  })
  const dry = await runCommand(['reset', '--all', '--dry-run'], { project: folder })
  expect(dry.stderr).toBe('Services are running. Next: `offstream down`\n')
  await expect(runCommand(['reset', '--all', '--yes'], { project: folder })).rejects.toMatchObject({
    code: 'SERVICES_RUNNING',
    outcome: 'locked',
  })
})
