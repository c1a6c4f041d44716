import { existsSync, readdirSync } from 'node:fs'
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as tick } from 'node:timers/promises'
import { type Product, productColumns } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { arrived, type ScratchStack, scratchStack } from './stack.ts'

/** Calls a command that has to succeed. @returns the last object that it writes */
const ok = async (stack: ScratchStack, words: readonly string[], input = ''): Promise<Told> => {
  const { stdout, stderr, exitCode } = await stack.run([...words, '--json'], { input })
  expect([exitCode, stderr]).toEqual([0, ''])
  return objectsIn(stdout).at(-1) ?? {}
}

// biome-ignore lint/suspicious/noExplicitAny: what commands write, each in its own form; the tests say which
type Told = Record<string, any>

/** Whole lines alone: the last one may still be on its way. */
const objectsIn = (stdout: string): Told[] =>
  stdout.split('\n').flatMap(line => (line.endsWith('}') ? [JSON.parse(line)] : []))

const product = (code: string, change: Partial<Product> = {}): string => {
  const now = new Date().toISOString()
  return JSON.stringify({
    ...Object.fromEntries(productColumns.map(name => [name, null])),
    ...{ code, as_of: now, observed_at: now, source: 'stdin', ...change },
  })
}

describe('a stack that runs', () => {
  let stack: ScratchStack
  const json = (words: readonly string[], input?: string) => ok(stack, words, input)
  beforeAll(async () => {
    stack = await scratchStack()
    await json(['up'])
    await json(['submit'])
  })
  afterAll(() => stack?.[Symbol.asyncDispose]())

  const pids = async (): Promise<Record<string, number | null>> => {
    const { services } = await json(['status'])
    return Object.fromEntries(services.map(({ name, pid }: Told) => [name, pid]))
  }

  const visible = async (where: string): Promise<number> =>
    (await json(['query', `SELECT count(*) AS n FROM Products WHERE ${where}`]))['rows'][0].n

  test('what is published by hand arrives in the table, and what is deleted leaves it', async () => {
    const lines = ['71000001', '71000002', '71000003'].map(code => product(code))
    expect(await json(['topic', 'produce'], lines.join('\n'))).toMatchObject({ published: 3, skipped: 0 })
    await arrived(stack, 'visible>=3')
    expect(await visible("code LIKE '710000%'")).toBe(3)
    expect(await json(['topic', 'produce', '--delete', '71000002'])).toMatchObject({ deleted: 1 })
    await arrived(stack)
    expect(await visible("code LIKE '710000%'")).toBe(2)
  })

  test('a line that is no product is left out and told, the others are published', async () => {
    const lines = [product('71000004'), product('71000005', { nova_group: 5 as never }), '{']
    const { stdout, exitCode } = await stack.run(['topic', 'produce', '--json'], {
      input: lines.join('\n'),
    })
    expect([exitCode, objectsIn(stdout)]).toEqual([
      10,
      [
        { version: 1, kind: 'skipped', line: 2, problem: expect.stringMatching(/^nova_group: /) },
        { version: 1, kind: 'skipped', line: 3, problem: expect.stringMatching(/^it is no JSON: /) },
        { version: 1, kind: 'produce', published: 1, deleted: 0, skipped: 2 },
        { version: 1, error: expect.objectContaining({ code: 'LINES_REJECTED' }) },
      ],
    ])
  })

  test('what `topic peek` shows, `topic produce` takes back', async () => {
    const record = product('71000006', { product_name: 'Crème \u0085' })
    await json(['topic', 'produce'], record)
    const { stdout } = await stack.run(['topic', 'peek', '--from', 'latest', '--limit', '1'])
    // A terminal would take the character for a command.
    expect(stdout).toContain('Cr\u00e8me \\u0085')
    expect(JSON.parse(stdout)).toMatchObject({ key: '71000006', value: JSON.parse(record) })
    expect(await json(['topic', 'produce'], stdout)).toMatchObject({ published: 1 })
    const { maxMessages } = await json(['topic', 'describe'])
    const again = await stack.run(['topic', 'peek', '--from', 'latest', '--limit', '1'])
    expect(JSON.parse(again.stdout)).toMatchObject({ offset: maxMessages - 1, value: JSON.parse(record) })
  })

  test('a peek that follows shows what comes from then on, until Ctrl-C', async () => {
    await using peek = stack.begin(['topic', 'peek', '--follow', '--json'])
    const told = await until(
      async () => {
        // Nothing says that it listens but what it shows.
        await json(['topic', 'produce'], product('71000007'))
        const [first] = objectsIn(peek.stdout())
        if (first === undefined) throw new Error('not yet')
        return first
      },
      { what: 'the first message', timeoutMs: 60_000 },
    )
    expect(told).toMatchObject({ kind: 'message', key: '71000007' })
    peek.signal('SIGINT')
    const { exitCode, stdout } = await peek.ended
    expect([exitCode, objectsIn(stdout).at(-1)]).toMatchObject([130, { kind: 'peek' }])
  })

  test('a watch writes one status after the other, until Ctrl-C', async () => {
    await using watch = stack.begin(['status', '--watch', '--interval', '0.1', '--json'])
    await until(
      async () => {
        if (objectsIn(watch.stdout()).length < 3) throw new Error('not yet')
      },
      { what: 'three looks', timeoutMs: 60_000 },
    )
    watch.signal('SIGINT')
    const { exitCode, stdout } = await watch.ended
    const looks = objectsIn(stdout)
    expect(exitCode).toBe(130)
    expect(looks.map(({ state }) => state)).toEqual(looks.map(() => 'healthy'))
    expect(looks.map(({ at }) => at)).toEqual([...new Set(looks.map(({ at }) => at))].sort())
  })

  test('a wait in vain tells what it sees, and ends with what it saw last', async () => {
    const words = ['wait', '--for', 'healthy', '--for', 'visible>=100000', '--timeout', '5s', '--json']
    const { stdout, exitCode } = await stack.run(words)
    const lines = objectsIn(stdout)
    expect(exitCode).toBe(8)
    expect(lines[0]).toMatchObject({
      kind: 'waiting',
      conditions: [
        { condition: 'healthy', holds: true, seen: 'healthy' },
        { condition: 'visible>=100000', holds: false, seen: expect.stringMatching(/^visible \d+$/) },
      ],
    })
    expect(lines.at(-1)?.['error']).toMatchObject({
      code: 'WAIT_TIMEOUT',
      message: expect.stringMatching(
        /^`visible>=100000` did not come true within 5 s; last seen: visible \d+$/,
      ),
    })
  })

  test('a restart of one service leaves the others as they are', async () => {
    const before = await pids()
    expect(await json(['restart', 'kafka'])).toMatchObject({ services: [{ name: 'kafka' }] })
    await arrived(stack)
    const after = await pids()
    expect(after['kafka']).not.toBe(before['kafka'])
    expect({ ...after, kafka: 0 }).toEqual({ ...before, kafka: 0 })
  })

  test('worker and job are started again with their master, and go on', async () => {
    const before = await pids()
    const { services } = await json(['restart', 'spark-master'])
    const together = ['spark-master', 'spark-worker', 'products-stream']
    expect(services.map(({ name }: Told) => name)).toEqual(together)
    await json(['topic', 'produce'], product('71000008'))
    await arrived(stack)
    expect(await visible("code = '71000008'")).toBe(1)
    const after = await pids()
    const anew = Object.keys(after).filter(name => after[name] !== before[name])
    expect(anew).toEqual(together)
  })

  test('a restart may change what a service runs with, but nothing of the others', async () => {
    const { exitCode, stdout } = await stack.run([
      ...['restart', 'zookeeper', '--set', 'kafka.memory=600m', '--json'],
    ])
    expect([exitCode, JSON.parse(stdout).error.code]).toEqual([10, 'SETTINGS_DIFFER'])
    await json(['restart', 'kafka', '--set', 'kafka.memory=600m'])
    const { stdout: command } = await execa('ps', [
      '-ww',
      '-o',
      'command=',
      '-p',
      `${(await pids())['kafka']}`,
    ])
    expect(command).toContain('-Xmx600m')
    await arrived(stack)
  })

  test('everything is restarted in the order of needs, by the same daemon', async () => {
    const socket = () => stat(join(stack.directory, '.offstream/run/daemon.sock'))
    const [before, { ino }] = [await pids(), await socket()]
    const told = objectsIn((await stack.run(['restart', '--json'])).stdout)
    const order = (kind: string) => told.filter(event => event['kind'] === kind).map(({ service }) => service)
    const place = (kind: string, name: string) => order(kind).indexOf(name)
    for (const [dependent, need] of [
      ['kafka', 'zookeeper'],
      ['spark-worker', 'spark-master'],
      ['products-stream', 'kafka'],
    ] as const) {
      expect(place('stopped', dependent)).toBeLessThan(place('stopped', need))
      expect(place('ready', need)).toBeLessThan(place('ready', dependent))
    }
    expect((await socket()).ino).toBe(ino)
    await arrived(stack)
    const after = await pids()
    expect(Object.keys(after).filter(name => after[name] === before[name])).toEqual([])
  })

  test('data is not wiped behind running services', async () => {
    const rows = await visible('true')
    const refused = await stack.run(['reset', '--table', '--yes', '--json'])
    expect([refused.exitCode, JSON.parse(refused.stdout).error.code]).toEqual([13, 'SERVICES_RUNNING'])
    expect(await visible('true')).toBe(rows)
  })

  test('a start ends a reset of the topic that was killed between Kafka and ZooKeeper', async () => {
    const rows = await visible('true')
    await json(['down'])
    const state = join(stack.directory, '.offstream')
    const trash = join(state, 'trash', 'reset-killed')
    const paths = ['checkpoints/products', 'data/kafka', 'data/zookeeper', 'run/fetched.json']
    await mkdir(join(trash, 'data'), { recursive: true })
    await writeFile(join(trash, 'plan.json'), JSON.stringify({ version: 1, paths }))
    await rename(join(state, 'data/kafka'), join(trash, 'data/kafka'))

    await json(['up'])
    await json(['submit'])
    await json(['topic', 'produce'], product('71000009'))
    const { flow } = await arrived(stack, `visible>=${rows + 1}`)
    expect(flow).toMatchObject({ fetched: 1, acknowledged: 1, consumed: 1, visible: rows + 1 })
    expect(await readdir(state)).not.toContain('trash')
  })
})

const parts = ['checkpoints/products', 'data/kafka', 'data/zookeeper', 'crawl', 'lake']

/** What a reset of topic and table comes by, each told from the state folder. */
const moments: Readonly<Record<string, (state: string) => boolean>> = {
  'it has the lock': state => existsSync(join(state, 'run/daemon.lock')),
  'its plan is written': state => plansIn(state) > 0,
  'the first part is moved': state => !existsSync(join(state, parts[0] ?? '')),
  'the second part is moved': state => !existsSync(join(state, parts[1] ?? '')),
  'everything is moved': state => parts.every(part => !existsSync(join(state, part))),
  'it begins to delete': state =>
    plansIn(state) === 0 &&
    existsSync(join(state, 'trash')) &&
    parts.every(part => !existsSync(join(state, part))),
}

const plansIn = (state: string): number => {
  const trash = join(state, 'trash')
  let resets: string[]
  try {
    resets = readdirSync(trash)
  } catch {
    // Not there yet, or no more: the reset goes on meanwhile.
    return 0
  }
  return resets.filter(reset => existsSync(join(trash, reset, 'plan.json'))).length
}

/** Kills a reset at a moment, calls another, and tells how much is left of each part, but for the checkpoint. */
const leftOfKilled = async (moment: (state: string) => boolean): Promise<number[]> => {
  await using stack = await scratchStack()
  const state = join(stack.directory, '.offstream')
  for (const part of parts) {
    await mkdir(join(state, part), { recursive: true })
    await Promise.all(Array.from({ length: 200 }, (_, at) => writeFile(join(state, part, `${at}`), 'x')))
  }
  await using reset = stack.begin(['reset', '--topic', '--table', '--yes'])
  const ended = reset.ended.then(() => true)
  // It may be too quick to be seen; then it is not killed, and everything has to be gone.
  while (!moment(state) && !(await Promise.race([ended, tick(false)])));
  reset.signal('SIGKILL')
  await ended
  // The lock of the dead one is waited for.
  await ok(stack, ['reset', '--checkpoint', '--yes'])
  return parts
    .slice(1)
    .map(part => (existsSync(join(state, part)) ? readdirSync(join(state, part)).length : 0))
}

test('a reset that is killed wipes all of what belongs together, or nothing, whatever it was at', async () => {
  const left = await Promise.all(Object.values(moments).map(leftOfKilled))
  const outcomes = left.map(counts => [...new Set(counts)])
  // Before its plan is written nothing has begun; from then on the next command ends it.
  const all = [[200], [0]]
  expect(Object.fromEntries(Object.keys(moments).map((moment, at) => [moment, outcomes[at]]))).toEqual({
    'it has the lock': expect.toBeOneOf(all),
    'its plan is written': [0],
    'the first part is moved': [0],
    'the second part is moved': [0],
    'everything is moved': [0],
    'it begins to delete': [0],
  })
})
