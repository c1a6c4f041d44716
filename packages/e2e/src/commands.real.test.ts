import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { mkdir, readdir, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as tick } from 'node:timers/promises'
import { type Product, productColumns } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitForTable } from './pipeline.ts'
import { type ScratchStack, scratchStack } from './stack.ts'

/** Runs a command that must succeed. @returns the last object that it prints */
const ok = async (stack: ScratchStack, args: readonly string[], input = ''): Promise<Printed> => {
  const { stdout, stderr, exitCode } = await stack.run([...args, '--json'], { input })
  expect([exitCode, stderr]).toEqual([0, ''])
  return objectsIn(stdout).at(-1) ?? {}
}

// biome-ignore lint/suspicious/noExplicitAny: each command prints its own structure, and the tests check it
type Printed = Record<string, any>

/** Only complete lines, because the last line may still be incomplete. */
const objectsIn = (stdout: string): Printed[] =>
  stdout.split('\n').flatMap(line => (line.endsWith('}') ? [JSON.parse(line)] : []))

const product = (code: string, change: Partial<Product> = {}): string => {
  const now = new Date().toISOString()
  return JSON.stringify({
    ...Object.fromEntries(productColumns.map(name => [name, null])),
    ...{ code, labels: 'Organic', as_of: now, observed_at: now, source: 'stdin', ...change },
  })
}

describe('a running stack', () => {
  let stack: ScratchStack
  const json = (args: readonly string[], input?: string) => ok(stack, args, input)
  beforeAll(async () => {
    stack = await scratchStack()
    await json(['up'])
    await json(['submit'])
  })
  afterAll(() => stack?.[Symbol.asyncDispose]())

  /** The pids of the services that run; the dashboard does not. */
  const pids = async (): Promise<Record<string, number>> => {
    const { services } = await json(['status'])
    return Object.fromEntries(
      services.flatMap(({ name, pid }: Printed) => (pid === null ? [] : [[name, pid]])),
    )
  }

  const visible = async (where: string): Promise<number> =>
    (await json(['query', `SELECT count(*) AS n FROM Products WHERE ${where}`]))['rows'][0].n

  test('`topic produce` adds products to the table, and `--delete` removes them', async () => {
    const lines = ['71000001', '71000002', '71000003'].map(code => product(code))
    expect(await json(['topic', 'produce'], lines.join('\n'))).toMatchObject({ published: 3, skipped: 0 })
    await waitForTable(stack, 'visible>=3')
    expect(await visible("code LIKE '710000%'")).toBe(3)
    expect(await json(['topic', 'produce', '--delete', '71000002'])).toMatchObject({ deleted: 1 })
    await waitForTable(stack)
    expect(await visible("code LIKE '710000%'")).toBe(2)
  })

  test('a line that is not a product is skipped and reported, the others are published', async () => {
    const lines = [product('71000004'), product('71000005', { nova_group: 5 as never }), '{']
    const { stdout, exitCode } = await stack.run(['topic', 'produce', '--json'], {
      input: lines.join('\n'),
    })
    expect([exitCode, objectsIn(stdout)]).toEqual([
      10,
      [
        {
          version: 1,
          kind: 'skipped',
          line: 2,
          skippedBy: 'invalid-record',
          problem: expect.stringMatching(/^nova_group: /),
        },
        {
          version: 1,
          kind: 'skipped',
          line: 3,
          skippedBy: 'invalid-json',
          problem: expect.stringMatching(/^it is not valid JSON: /),
        },
        {
          version: 1,
          kind: 'produce',
          published: 1,
          deleted: 0,
          skipped: 2,
          skippedBy: { 'invalid-record': 1, 'invalid-json': 1 },
        },
        { version: 1, error: expect.objectContaining({ code: 'LINES_REJECTED' }) },
      ],
    ])
  })

  test('`topic produce` accepts the output of `topic peek`', async () => {
    const record = product('71000006', { product_name: 'Crème \u0085' })
    await json(['topic', 'produce'], record)
    const { stdout } = await stack.run(['topic', 'peek', '--from', 'latest', '--limit', '1'])
    // A terminal would interpret the character as a control sequence.
    expect(stdout).toContain('Cr\u00e8me \\u0085')
    expect(JSON.parse(stdout)).toMatchObject({ key: '71000006', value: JSON.parse(record) })
    expect(await json(['topic', 'produce'], stdout)).toMatchObject({ published: 1 })
    const { maxMessages } = await json(['topic', 'describe'])
    const again = await stack.run(['topic', 'peek', '--from', 'latest', '--limit', '1'])
    expect(JSON.parse(again.stdout)).toMatchObject({ offset: maxMessages - 1, value: JSON.parse(record) })
  })

  test('`topic peek --follow` prints new messages until Ctrl-C', async () => {
    await using peek = stack.start(['topic', 'peek', '--follow', '--json'])
    const message = await until(
      async () => {
        // Only a printed message proves that the command listens.
        await json(['topic', 'produce'], product('71000007'))
        const [first] = objectsIn(peek.stdout())
        if (first === undefined) throw new Error('not yet')
        return first
      },
      { what: 'the first message', timeoutMs: 60_000 },
    )
    expect(message).toMatchObject({ kind: 'message', key: '71000007' })
    peek.signal('SIGINT')
    const { exitCode, stdout } = await peek.result
    expect([exitCode, objectsIn(stdout).at(-1)]).toMatchObject([130, { kind: 'peek' }])
  })

  test('`status --watch` prints one status after another until Ctrl-C', async () => {
    await using watch = stack.start(['status', '--watch', '--interval', '0.1', '--json'])
    await until(
      async () => {
        if (objectsIn(watch.stdout()).length < 3) throw new Error('not yet')
      },
      { what: 'three statuses', timeoutMs: 60_000 },
    )
    watch.signal('SIGINT')
    const { exitCode, stdout } = await watch.result
    const statuses = objectsIn(stdout)
    expect(exitCode).toBe(130)
    expect(statuses.map(({ state }) => state)).toEqual(statuses.map(() => 'healthy'))
    expect(statuses.map(({ at }) => at)).toEqual([...new Set(statuses.map(({ at }) => at))].sort())
  })

  test('a wait that times out prints each condition and fails with the last values', async () => {
    const args = ['wait', '--for', 'healthy', '--for', 'visible>=100000', '--timeout', '5s', '--json']
    const { stdout, exitCode } = await stack.run(args)
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
      message: expect.stringMatching(/^`visible>=100000` not met within 5 s; last seen: visible \d+$/),
    })
  })

  test.skipIf(process.platform !== 'linux')(
    '`submit --dry-run` prints the command and the environment of the running job, and starts nothing',
    async () => {
      const before = await pids()
      const { command, environment, folder } = await json(['submit', '--dry-run'])
      expect(await pids()).toEqual(before)
      const ofJob = (file: string) =>
        readFileSync(`/proc/${before['products-stream']}/${file}`, 'utf8').split('\0').slice(0, -1)
      const program = (words: readonly string[]) =>
        words.slice(words.findIndex(word => word.endsWith('stream.py')))
      expect(program(command).length).toBeGreaterThan(10)
      expect(program(ofJob('cmdline'))).toEqual(program(command))
      expect(ofJob('environ')).toEqual(
        expect.arrayContaining([
          `SPARK_LOCAL_DIRS=${environment.SPARK_LOCAL_DIRS}`,
          `HOME=${environment.HOME}`,
        ]),
      )
      expect(realpathSync(`/proc/${before['products-stream']}/cwd`)).toBe(folder)
      const { stdout } = await stack.succeed(['submit', '--dry-run'])
      expect(stdout).toContain(`--topic products-events`)
    },
  )

  test('a restart of one service does not affect the others', async () => {
    const before = await pids()
    expect(await json(['restart', 'kafka'])).toMatchObject({ services: [{ name: 'kafka' }] })
    await waitForTable(stack)
    const after = await pids()
    expect(after['kafka']).not.toBe(before['kafka'])
    expect({ ...after, kafka: 0 }).toEqual({ ...before, kafka: 0 })
  })

  test('worker and job restart with their master and continue', async () => {
    const before = await pids()
    const { services } = await json(['restart', 'spark-master'])
    const together = ['spark-master', 'spark-worker', 'products-stream']
    expect(services.map(({ name }: Printed) => name)).toEqual(together)
    await json(['topic', 'produce'], product('71000008'))
    await waitForTable(stack)
    expect(await visible("code = '71000008'")).toBe(1)
    const after = await pids()
    const restarted = Object.keys(after).filter(name => after[name] !== before[name])
    expect(restarted).toEqual(together)
  })

  test('a restart can change the settings of its service, but not those of other services', async () => {
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
    await waitForTable(stack)
  })

  test('the same daemon restarts all services in dependency order', async () => {
    const socket = () => stat(join(stack.directory, '.offstream/run/daemon.sock'))
    const [before, { ino }] = [await pids(), await socket()]
    const events = objectsIn((await stack.run(['restart', '--json'])).stdout)
    const order = (kind: string) =>
      events.filter(event => event['kind'] === kind).map(({ service }) => service)
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
    await waitForTable(stack)
    const after = await pids()
    expect(Object.keys(after).filter(name => after[name] === before[name])).toEqual([])
  })

  test('`reset` deletes no data of running services', async () => {
    const rows = await visible('true')
    const refused = await stack.run(['reset', '--table', '--yes', '--json'])
    expect([refused.exitCode, JSON.parse(refused.stdout).error.code]).toEqual([13, 'SERVICES_RUNNING'])
    expect(await visible('true')).toBe(rows)
  })

  test('`up` completes a reset that was killed between the data of Kafka and ZooKeeper', async () => {
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
    const { flow } = await waitForTable(stack, `visible>=${rows + 1}`)
    expect(flow).toMatchObject({ fetched: 1, acknowledged: 1, consumed: 1, visible: rows + 1 })
    expect(await readdir(state)).not.toContain('trash')
  })
})

const parts = ['checkpoints/products', 'data/kafka', 'data/zookeeper', 'crawl', 'lake']

/** The steps of a reset of topic and table, each recognised from the state folder. */
const steps: Readonly<Record<string, (state: string) => boolean>> = {
  'it has the lock': state => existsSync(join(state, 'run/daemon.lock')),
  'its plan is written': state => plansIn(state) > 0,
  'the first part is moved': state => !existsSync(join(state, parts[0] ?? '')),
  'the second part is moved': state => !existsSync(join(state, parts[1] ?? '')),
  'everything is moved': state => parts.every(part => !existsSync(join(state, part))),
  'the deletion starts': state =>
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
    // The reset has not created the folder yet, or has removed it.
    return 0
  }
  return resets.filter(reset => existsSync(join(trash, reset, 'plan.json'))).length
}

/** Kills a reset at a step and runs another. @returns the number of files left in each part except the checkpoint */
const filesAfterKill = async (reached: (state: string) => boolean): Promise<number[]> => {
  await using stack = await scratchStack()
  const state = join(stack.directory, '.offstream')
  for (const part of parts) {
    await mkdir(join(state, part), { recursive: true })
    await Promise.all(Array.from({ length: 200 }, (_, at) => writeFile(join(state, part, `${at}`), 'x')))
  }
  await using reset = stack.start(['reset', '--topic', '--table', '--yes'])
  const exited = reset.result.then(() => true)
  // The step may be too short to observe. Then the reset is not killed and must delete everything.
  while (!reached(state) && !(await Promise.race([exited, tick(false)])));
  reset.signal('SIGKILL')
  await exited
  // This reset takes over the lock of the killed one.
  await ok(stack, ['reset', '--checkpoint', '--yes'])
  return parts
    .slice(1)
    .map(part => (existsSync(join(state, part)) ? readdirSync(join(state, part)).length : 0))
}

test('a killed reset deletes all parts or none, at every step', async () => {
  const left = await Promise.all(Object.values(steps).map(filesAfterKill))
  const outcomes = left.map(counts => [...new Set(counts)])
  // Until the plan is written nothing is deleted. From then on the next command completes the reset.
  const all = [[200], [0]]
  expect(Object.fromEntries(Object.keys(steps).map((step, at) => [step, outcomes[at]]))).toEqual({
    'it has the lock': expect.toBeOneOf(all),
    'its plan is written': [0],
    'the first part is moved': [0],
    'the second part is moved': [0],
    'everything is moved': [0],
    'the deletion starts': [0],
  })
})
