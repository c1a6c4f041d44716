import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onDamagedState, ServiceRecords } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { addFetched, readFetched } from '../scrape/produce.ts'
import { readStreamProgress } from '../services/streamProgress.ts'
import { DeltaPosition } from '../sources/export/deltas.ts'
import { FillMemory } from '../sources/web/fillRates.ts'
import { planReset, resetStack } from './reset.ts'
import { readSavedStack, readServices, readStack, runningConfig } from './running.ts'
import { ensureManaged } from './start.ts'
import { readStatus } from './status.ts'
import { stopStack } from './stop.ts'

const damaged = new Set<string>()
onDamagedState(({ file }) => damaged.add(file))

const index = 'https://example.org/index.txt'

/** Each state file of a stack: where it is, and what its reader gives if it is absent. */
const stateFiles: Readonly<
  Record<
    string,
    readonly [file: (state: string) => Promise<string>, read: (state: string) => unknown, absent: unknown]
  >
> = {
  'record of a service': [
    async state => join(directoriesOf(state).records, 'kafka.json'),
    state => new ServiceRecords(directoriesOf(state).records).all(),
    [],
  ],
  'settings of the stack': [
    async state => join(directoriesOf(state).run, 'stack.json'),
    async state => [
      ...[await readSavedStack(state), await readStack(state)],
      ...[await runningConfig(state), await readServices(state)],
    ],
    [null, null, null, []],
  ],
  'count of fetched products': [
    async state => directoriesOf(state).fetched,
    state => readFetched(directoriesOf(state).fetched),
    0,
  ],
  'progress of the stream': [
    async state => directoriesOf(state).streamProgress,
    state => readStreamProgress(directoriesOf(state).streamProgress),
    null,
  ],
  'position of the deltas': [
    async state => {
      const position = new DeltaPosition(join(state, 'crawl'))
      await position.write(index, 1)
      const [name = ''] = await readdir(join(state, 'crawl'))
      return join(state, 'crawl', name)
    },
    state => new DeltaPosition(join(state, 'crawl')).read(index),
    null,
  ],
  'fill rates of a host': [
    async state => join(state, 'crawl', 'fill-rates.json'),
    state => new FillMemory(join(state, 'crawl')).read('example.org'),
    {},
  ],
}

const damages: Readonly<Record<string, string>> = {
  empty: '',
  'cut off': '{"version":1,"na',
  'another JSON value': '"bees"',
  'without its values': '{"version":1}',
  'of a later version': '{"version":99}',
}

const scratchState = async (): Promise<string> => {
  const state = await mkdtemp(join(tmpdir(), 'offstream-damaged-'))
  onTestFinished(() => rm(state, { recursive: true }))
  return state
}

const damage = async (file: string, text: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

const cases = Object.keys(stateFiles).flatMap(file => Object.keys(damages).map(how => [file, how] as const))

test.each(cases)('a damaged %s (%s) counts as absent and is reported', async (name, how) => {
  const state = await scratchState()
  const [locate, read, absent] = stateFiles[name] ?? expect.fail()
  const file = await locate(state)
  await damage(file, damages[how] ?? '')
  expect(await read(state)).toEqual(absent)
  expect(damaged).toContain(file)
})

test('with every state file damaged, commands still work', async () => {
  const state = await scratchState()
  for (const [locate] of Object.values(stateFiles)) await damage(await locate(state), '{"version":1,"na')
  await damage(join(state, 'trash', 'reset-x', 'plan.json'), '{"version":1,"na')

  const status = await readStatus(state, Config.parse({}), await readServices(state))
  await ensureManaged(state, () => Promise.reject(new Error('no daemon expected')))
  const wasRunning = await stopStack(state, {})
  await addFetched(directoriesOf(state).fetched, 3)
  const fetched = await readFetched(directoriesOf(state).fetched)
  await resetStack(state, ['all'])
  expect([status.flow.fetched, wasRunning, fetched, (await planReset(state, ['all'])).items]).toEqual([
    0,
    false,
    3,
    [],
  ])
})

test('a damaged count is replaced by the next update', async () => {
  const { fetched } = directoriesOf(await scratchState())
  await damage(fetched, '{"version":1,"fetched":"many"}')
  await addFetched(fetched, 2)
  expect(JSON.parse(await readFile(fetched, 'utf8'))).toEqual({ version: 1, fetched: 2 })
})
