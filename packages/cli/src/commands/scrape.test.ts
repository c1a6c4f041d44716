import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { generateCatalogue, startSite } from '@offstream/site'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from '../testCommand.ts'

const catalogue = generateCatalogue({ count: 30 })
const codes = catalogue.products.map(({ code }) => code)
const german = catalogue.products
  .filter(({ countries_tags }) => countries_tags?.includes('en:germany'))
  .map(({ code }) => code)

let site: Awaited<ReturnType<typeof startSite>>
let folder: string
beforeAll(async () => {
  site = await startSite({ catalogue })
  folder = await mkdtemp(join(tmpdir(), 'offstream-scrape-'))
  await writeFile(
    join(folder, 'offstream.yaml'),
    `api: { url: ${site.address} }\nexport:\n  file: ${site.address}/data/openfoodfacts-products.jsonl.gz\n  deltas: ${site.address}/data/delta/index.txt\n`,
  )
})
afterAll(async () => {
  await site[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const scrape = (words: string) => runCommand(['scrape', ...words.split(' ')], { project: folder })

/** The sources and barcodes of the records that a dry run prints, and its summary. */
const dryRun = async (words: string) => {
  const { stdout, stderr } = await scrape(`${words} --dry-run`)
  const records = stdout
    .trim()
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
  return {
    sources: [...new Set(records.map(({ source }) => source))],
    codes: records.map(({ code }) => code),
    summary: stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/ in .*/, ''),
  }
}

test.each([
  [`--source api --codes ${codes[1]},${codes[0]}`, ['api'], [codes[1], codes[0]]],
  [`--source api --codes ${codes[2]} --api-version 3`, ['api'], [codes[2]]],
  ['--source api --search page_size=100 --limit 3', ['api'], expect.objectContaining({ length: 3 })],
  ['--source export', ['export'], codes],
  ['--source export --country france --limit 2', ['export'], expect.objectContaining({ length: 2 })],
  ['--source export --country de', ['export'], german],
])('a dry run of `%s` prints records and publishes nothing', async (words, sources, expected) => {
  const printed = await dryRun(words)
  const { length } = printed.codes
  expect(printed).toEqual({
    ...{ sources, codes: expected },
    summary: `${length} product${length === 1 ? '' : 's'} printed`,
  })
})

test.each([
  ['--country jp', '`--country jp`'],
  ['--since 2100-01-01', '`--since 2100-01-01T00:00:00.000Z`'],
  ['--country frnace --since 2020-01-01', '`--country frnace` and `--since 2020-01-01T00:00:00.000Z`'],
])('the summary reports that no product matches %s', async (words, filter) => {
  const { stdout, stderr } = await scrape(`--source export ${words} --dry-run`)
  expect([stdout, stderr]).toEqual([
    '',
    expect.stringMatching(/^! 0 products printed in \S+ m?s, 30 did not match /),
  ])
  expect(stderr.trim().endsWith(filter)).toBe(true)
})

test('`--deltas` reads the configured index or another one, and a dry run does not mark changes as read', async () => {
  const first = await dryRun('--source export --deltas')
  expect(first.codes.length).toBeGreaterThan(0)
  expect(await dryRun('--source export --deltas')).toEqual(first)
  expect(await dryRun(`--source export --deltas ${site.address}/data/delta/index.txt`)).toEqual(first)
  await expect(dryRun(`--source export --deltas ${site.address}/robots.txt`)).rejects.toMatchObject({
    code: 'INDEX_INVALID',
  })
})

test('`--source stdin` reads the output of a dry run unchanged', async () => {
  const { stdout } = await scrape(`--source api --codes ${codes[0]} --dry-run`)
  const stdin = vi.spyOn(process, 'stdin', 'get').mockReturnValue(standardInput(stdout))
  onTestFinished(() => stdin.mockRestore())
  expect((await scrape('--source stdin --dry-run')).stdout).toBe(stdout)
})

test.each([
  ['--codes 1', '`--codes` requires `--source api`, but the source is `--source web`'],
  ['--source api --codes 1 --fresh', '`--fresh` requires `--source web`, but the source is `--source api`'],
  ['--source web --until-end', '`--until-end` requires `--source topic`, but the source is `--source web`'],
  ['--source api --codes 1 --rate 5', '`--rate` requires `--source web`, but the source is `--source api`'],
  [
    '--source topic --country fr',
    '`--country` requires `--source web` or `--source export`, but the source is `--source topic`',
  ],
  [
    '--source stdin --file x --group y',
    '`--file` requires `--source export`, `--group` requires `--source topic`, but the source is `--source stdin`',
  ],
  [
    '--source export --api-version 2',
    '`--api-version` requires `--source api`, but the source is `--source export`',
  ],
  ['--category a --brand b', '`--category` and `--brand` cannot be used together'],
  ['--category a --search b', '`--category` and `--search` cannot be used together'],
  ['--source api --codes 1 --search a=b', '`--codes` and `--search` cannot be used together'],
  ['--source api --search a=b --api-version 3', '`--search` and `--api-version` cannot be used together'],
  ['--source export --file x --deltas', '`--file` and `--deltas` cannot be used together'],
])('the options of `scrape %s` conflict', async (words, message) => {
  await expect(scrape(words)).rejects.toMatchObject({ code: 'OPTIONS_CONFLICT', outcome: 'usage', message })
})

test('with --json a dry run prints each record as an event, then the result', async () => {
  const words = ['scrape', '--source', 'api', '--codes', codes[0] ?? '', '--dry-run']
  const { stdout } = await runCommand(words, { project: folder, json: true })
  expect(
    stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line)),
  ).toEqual([
    { version: 1, kind: 'record', record: expect.objectContaining({ code: codes[0], source: 'api' }) },
    expect.objectContaining({ version: 1, kind: 'scrape', dryRun: true, delivered: 1 }),
  ])
})

test.each([
  ['--source api', '--codes 3017620422003'],
  ['--source topic', '--brokers'],
  ['--source topic --brokers one:9092', '--topic'],
])('`scrape %s` names the missing option', async (words, hint) => {
  await expect(scrape(words)).rejects.toMatchObject({
    ...{ code: 'OPTION_MISSING', outcome: 'usage' },
    hint: expect.stringContaining(hint),
  })
})

test.each([
  [
    '--source api --search chocolat',
    '`--search chocolat` does not have the form key=value that the API requires',
  ],
  ['--search ', '`--search` is empty'],
])('`scrape %s` has an invalid search', async (words, message) => {
  await expect(scrape(words)).rejects.toMatchObject({ code: 'OPTION_INVALID', outcome: 'usage', message })
})

test.each([
  '--source ftp',
  '--source export --since 2026-02-30',
  '--source export --since 12:00',
  '--source export --since 2026-01-31T12:00',
  '--source api --codes ,',
  '--source api --codes 1 --api-version 4',
  '--source topic --from middle',
  '--lang french',
  '--pages 0',
])('`scrape %s` has an invalid value', async words => {
  await expect(scrape(words)).rejects.toMatchObject({ exitCode: 1, code: 'commander.invalidArgument' })
})

/** Standard input with this text. */
const standardInput = (text: string) =>
  Object.assign(Readable.from([Buffer.from(text)]), { isTTY: false }) as never

test.each([
  ['', 'All 2 inputs were skipped'],
  ['{"code":"4006381333931","product_name":"Oats"}\n', null],
])('a scrape whose inputs are all skipped fails, others do not: %j', async (more, message) => {
  const file = join(folder, `skipped-${more.length}.jsonl`)
  await writeFile(
    file,
    `{"code":"4012"}\n{"code":"4013","status":0,"status_verbose":"product not found"}\n${more}`,
  )
  const words = ['scrape', '--source', 'export', '--file', file, '--dry-run']
  const printed = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  onTestFinished(() => printed.mockRestore())
  const error = await runCommand(words, { project: folder, json: true }).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toEqual(
    message === null ? null : expect.objectContaining({ code: 'ALL_SKIPPED', outcome: 'failed', message }),
  )
})

test('of a truncated gzip file the whole lines are printed, and the result and the summary have a warning', async () => {
  const file = join(folder, 'cut.jsonl.gz')
  const packed = gzipSync('{"code":"4013","product_name":"Tea"}\n')
  await writeFile(file, packed.subarray(0, -1))
  const words = ['scrape', '--source', 'export', '--file', file, '--dry-run']
  const { stdout } = await runCommand(words, { project: folder, json: true })
  expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({
    ...{ kind: 'scrape', delivered: 1, skippedBy: { truncated: 1 } },
  })
  const { stderr } = await scrape(`--source export --file ${file} --dry-run`)
  expect(stderr).toMatch(/^! 1 product printed .*the input is truncated, its last part is missing/m)
  await writeFile(file, packed.subarray(0, 12))
  await expect(scrape(`--source export --file ${file} --dry-run`)).rejects.toMatchObject({
    code: 'ALL_SKIPPED',
  })
})

test('the result counts skipped inputs by reason', async () => {
  const file = join(folder, 'reasons.jsonl')
  await writeFile(file, '{"code":"4012"}\n{"code":"4013","product_name":"Tea"}\n{"product_name":"Rice"}\n')
  const words = ['scrape', '--source', 'export', '--file', file, '--dry-run']
  const { stdout } = await runCommand(words, { project: folder, json: true })
  const events = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  expect(events.at(-1)).toMatchObject({
    ...{ kind: 'scrape', delivered: 1, skipped: 2 },
    skippedBy: { 'no-product-fields': 1, 'no-code': 1 },
  })
  const { stderr } = await scrape(`--source export --file ${file} --dry-run`)
  expect(stderr).toMatch(
    /^! 1 product printed .*, 2 skipped \(1 no-product-fields, 1 no-code\): more than 10 %/m,
  )
})
