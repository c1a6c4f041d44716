import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScratchStack, scratchStack } from './stack.ts'

// No test starts a service, so all share one project.
let stack: ScratchStack
beforeAll(async () => {
  stack = await scratchStack()
})
afterAll(() => stack[Symbol.asyncDispose]())

/** A listener that is not a service of offstream. */
const holdPort = async (port: number) => {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { [Symbol.asyncDispose]: () => new Promise<void>(resolve => server.close(() => resolve())) }
}

test('an unknown command is a usage error', async () => {
  expect((await stack.run(['nope'])).shown).toMatchInlineSnapshot(`
    "! ✖ Unknown command \`nope\` [USAGE_INVALID]
    ! → run \`offstream --help\`
    exit 2"
  `)
})

test('an unknown option is a usage error', async () => {
  expect((await stack.run(['up', '--nope'])).shown).toMatchInlineSnapshot(`
    "! ✖ Unknown option \`--nope\` [USAGE_INVALID]
    ! → run \`offstream up --help\`
    exit 2"
  `)
})

test('an invalid option value is a usage error', async () => {
  expect((await stack.run(['scrape', '--limit', 'many'])).shown).toMatchInlineSnapshot(`
    "! ✖ Invalid value \`many\` for \`--limit <number>\`: it must be a whole number of at least 1 [USAGE_INVALID]
    ! → run \`offstream scrape --help\`
    exit 2"
  `)
})

test('all problems of a configuration are reported together', async () => {
  const directory = join(stack.directory, 'broken')
  await mkdir(directory)
  await writeFile(join(directory, 'offstream.yaml'), 'kafka:\n  port: 99999\n  prot: 1\n')
  const call = await stack.run(['up', '--set', 'thrift.cores=none'], {
    env: { OFFSTREAM_WEB_URL: 'nowhere' },
    cwd: directory,
  })
  expect(call.shown).toMatchInlineSnapshot(`
    "! ✖ The configuration has 4 problems:
    !   <project>/broken/offstream.yaml:2: kafka.port: must be at most 65535
    !   <project>/broken/offstream.yaml:3: kafka.prot: unknown setting; did you mean \`kafka.port\`?
    !   --set: thrift.cores: must be a number
    !   environment OFFSTREAM_WEB_URL: web.url: must be an address that begins with \`http://\` or \`https://\` [CONFIG_INVALID]
    ! → compare with the file that \`offstream init <folder>\` writes: it lists every setting
    exit 5"
  `)
})

test('status of a stopped stack', async () => {
  expect((await stack.run(['status'])).shown).toMatchInlineSnapshot(`
    "○ stopped

    service  state  address  pid  up  restarts
    zookeeper  stopped  127.0.0.1:<zookeeper.port>
    kafka  stopped  127.0.0.1:<kafka.port>
    spark-master  stopped  spark://127.0.0.1:<spark.port>
    spark-worker  stopped  http://127.0.0.1:<spark.worker.webPort>
    thrift  stopped  127.0.0.1:<thrift.port>
    products-stream  stopped  http://127.0.0.1:<stream.webPort>
    dashboard  stopped  http://127.0.0.1:<dashboard.port>

    fetched 0 → acknowledged ? → consumed ? → rows ? → visible ?
    ! Nothing is running. Next: \`offstream up\`
    exit 3"
  `)
})

test('down succeeds if nothing runs', async () => {
  expect((await stack.run(['down'])).shown).toMatchInlineSnapshot(`
    "! Nothing was running. Next: \`offstream up\`
    exit 0"
  `)
})

test('submit fails if the services do not run', async () => {
  expect((await stack.run(['submit'])).shown).toMatchInlineSnapshot(`
    "! ✖ kafka is not running [NOT_RUNNING]
    ! → start the services with \`offstream up\`, then try again
    exit 3"
  `)
})

test('a query without a Thrift server names the address', async () => {
  expect((await stack.run(['query', 'SELECT 1'])).shown).toMatchInlineSnapshot(`
    "! ✖ Could not connect to a Thrift server at \`127.0.0.1:<thrift.port>\`: connect ECONNREFUSED 127.0.0.1:<thrift.port> [THRIFT_UNREACHABLE]
    ! → start the services with \`offstream up\`; \`offstream status\` shows them
    exit 9"
  `)
})

test('a statement that starts with a comment is not parsed as an option', async () => {
  expect((await stack.run(['query', '-- how many?\nSELECT 1'])).exitCode).toBe(9)
})

test('a scrape without a broker fails before it visits a page', async () => {
  expect((await stack.run(['scrape', '--url', 'http://127.0.0.1:9/'])).shown).toMatchInlineSnapshot(`
    "! ✖ Could not connect to a Kafka broker at \`127.0.0.1:<kafka.port>\`: Connection error: connect ECONNREFUSED 127.0.0.1:<kafka.port> [KAFKA_UNREACHABLE]
    ! → start the services with \`offstream up\`, then try again
    exit 9"
  `)
})

test('a site that does not respond is reported as unreachable', async () => {
  const { stderr, exitCode } = await stack.run([
    'scrape',
    '--dry-run',
    '--url',
    `http://127.0.0.1:${stack.config.kafka.port}/`,
  ])
  expect([stderr, exitCode]).toEqual([expect.stringContaining('[SITE_UNREACHABLE]'), 9])
})

test('an invalid address is a usage error', async () => {
  expect((await stack.run(['scrape', '--dry-run', '--url', 'products'])).shown).toMatchInlineSnapshot(`
    "! ✖ \`products\` is not a web address [ADDRESS_INVALID]
    ! → use one such as \`https://fr.openfoodfacts.org/facets/categories/chocolats\`
    exit 2"
  `)
})

test('a configured browser that does not exist is reported, and no other is used', async () => {
  const call = await stack.run(['scrape', '--dry-run', '--set', 'browser.executablePath=/nowhere/chromium'])
  expect(call.shown).toMatchInlineSnapshot(`
    "! ✖ \`/nowhere/chromium\` is not an executable file [CHROMIUM_MISSING]
    ! → correct \`browser.executablePath\` in the configuration, or omit it to use an installed browser
    exit 6"
  `)
})

test('an unknown chart is reported with the names of all charts', async () => {
  expect((await stack.run(['charts', 'pie'])).shown).toMatchInlineSnapshot(`
    "! ✖ Chart \`pie\` does not exist [CHART_UNKNOWN]
    ! → use one of \`arrivals-over-time\`, \`brands-by-processing\`, \`completeness-by-country\`, \`environmental-impact\`, \`environmental-score-by-category\`, \`most-frequent-additives\`, \`nova-distribution\`, \`nutri-score-by-nova\`, \`nutri-score-ranking\`, \`nutrients-by-nutri-score\`, \`sugar-against-fat\`
    exit 2"
  `)
})

test('an invalid catalogue is reported with the line', async () => {
  await writeFile(join(stack.directory, 'catalogue.jsonl'), '{"code":"20000004"}\n{"code":"x"}\n')
  expect((await stack.run(['site', '--catalogue', 'catalogue.jsonl'])).shown).toMatchInlineSnapshot(`
    "! ✖ The catalogue \`catalogue.jsonl:2\` cannot be read: code: must be 1 to 24 digits [CATALOGUE_UNREADABLE]
    ! → use a JSON Lines file with one product of the Open Food Facts API per line, plain or gzipped (\`.gz\`)
    exit 2"
  `)
})

test('a taken port is reported with its holder before anything starts, and by doctor', async () => {
  await using _ = await holdPort(stack.config.thrift.port)
  const up = await stack.run(['up'])
  const doctor = await stack.run(['doctor', '--json'])
  expect(up.shown).toMatchInlineSnapshot(`
    "! ✖ Port <thrift.port>, which thrift needs, is already in use by \`node\` (pid <pid>) [PORT_TAKEN]
    ! → stop that program, or choose another port: \`--set thrift.port=…\`; \`offstream up --ports auto\` chooses free ones
    exit 7"
  `)
  const { findings } = JSON.parse(doctor.stdout)
  expect(findings.filter(({ verdict }: { readonly verdict: string }) => verdict === 'problem')).toEqual([
    {
      name: `Port ${stack.config.thrift.port}`,
      verdict: 'problem',
      found: `taken by \`node\`, pid ${process.pid}`,
      hint: expect.stringContaining('--set thrift.port='),
    },
  ])
  expect(doctor.exitCode).toBe(6)
  expect(await stack.processes()).toEqual([])
})

test('a missing Java is reported with the command that installs it, also after a start that failed for another reason', async () => {
  expect(
    (await stack.run(['up'], { env: { PATH: stack.directory, JAVA_HOME: '' } })).shown,
  ).toMatchInlineSnapshot(`
    "! ✖ Java 17 or newer was not found [JAVA_MISSING]
    ! → install it (Debian, Ubuntu: \`sudo apt-get install openjdk-17-jre-headless\`; macOS: \`brew install openjdk@17\`), or set JAVA_HOME
    exit 6"
  `)
})

test('with --json an error is an object and nothing else is printed', async () => {
  const { stdout, stderr, exitCode } = await stack.run(['query', 'SELECT 1', '--json'])
  expect([JSON.parse(stdout), stderr, exitCode]).toEqual([
    {
      version: 1,
      error: {
        code: 'THRIFT_UNREACHABLE',
        message: expect.stringContaining(`127.0.0.1:${stack.config.thrift.port}`),
        hint: expect.stringContaining('`offstream up`'),
        lastLogLines: [],
      },
    },
    '',
    9,
  ])
})
