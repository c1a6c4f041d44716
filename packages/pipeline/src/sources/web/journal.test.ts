import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { identify } from '@offstream/runtime'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Journal, JournalLine, type JournalOptions } from './journal.ts'

const address = 'https://fr.example.org/facets/brands/acme'
const next = `${address}/2`
const tea = { code: '40000001', address: 'https://fr.example.org/produit/40000001/tea' }
const jam = { code: '40000002', address: 'https://fr.example.org/produit/40000002/jam' }
const acknowledgement = { topic: 'products-events', partition: 0, offset: 41 }
const seen = new Date('2026-03-04T05:06:07.890Z')

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-journal-'))
  onTestFinished(() => rm(directory, { recursive: true }))
})

const open = (options: Partial<JournalOptions> = {}) =>
  Journal.open({ directory, address, destination: 'localhost:9092', fresh: false, ...options })

const fileOf = async (): Promise<string> => {
  const [name] = (await readdir(directory)).filter(file => file.endsWith('.jsonl'))
  return join(directory, String(name))
}

const linesOf = async () =>
  (await readFile(await fileOf(), 'utf8'))
    .trim()
    .split('\n')
    .map(line => JournalLine.parse(JSON.parse(line)))

/** A crawl that has read a list of two and brought one of them to Kafka, and then was no more. */
const interrupted = async (): Promise<void> => {
  await using journal = await open()
  journal.listRead(address, { products: [tea, jam], next })
  journal.acknowledged(tea, acknowledgement, seen)
}

/** What a crawl knows when it starts. */
const known = async (options: Partial<JournalOptions> = {}) => {
  await using journal = await open(options)
  const { before, wasSource } = journal
  return {
    done: before === null ? null : [before.acknowledged, before.listed],
    has: [journal.has(tea), journal.has(jam)],
    list: journal.list(address),
    wasSource,
  }
}

const nothing = { done: null, has: [false, false], list: null, wasSource: false }
const one = {
  ...{ done: [1, 2], has: [true, false], wasSource: true },
  list: expect.objectContaining({ products: [tea, jam], next }),
}

test('each acknowledged product is a line with its offset', async () => {
  await interrupted()
  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
  expect(await linesOf()).toEqual([
    { kind: 'started', version: 1, address, destination: 'localhost:9092', at },
    { kind: 'list', address, at, products: [tea, jam], next },
    {
      ...{ kind: 'acknowledged', ...tea, ...acknowledgement },
      ...{ fetchedAt: '2026-03-04T05:06:07.890Z', acknowledgedAt: at },
    },
  ])
})

test('an unfinished crawl is resumed, any number of times', async () => {
  expect(await known()).toEqual(nothing)
  await interrupted()
  expect([await known(), await known()]).toEqual([one, one])
})

test('a product is known by its address in a list too', async () => {
  await interrupted()
  await using journal = await open()
  expect(journal.has({ code: '0000040000001', address: tea.address })).toBe(true)
})

test('after a finished crawl the next one starts from the beginning, and knows that there were products', async () => {
  await interrupted()
  await open().then(async journal => {
    journal.finished()
    await journal[Symbol.asyncDispose]()
  })
  expect(await known()).toEqual({ ...nothing, wasSource: true })
  expect((await linesOf()).map(({ kind }) => kind)).toEqual(['started'])
})

test.each<[string, Partial<JournalOptions>]>([
  ['that is fresh', { fresh: true }],
  ['of another address', { address: `${address}-and-sons` }],
  ['to another Kafka', { destination: 'kafka.example.org:9092' }],
])('a crawl %s starts from the beginning', async (_which, options) => {
  await interrupted()
  expect(await known(options)).toMatchObject({ done: null, has: [false, false], list: null })
})

test('an old journal is deleted', async () => {
  await interrupted()
  const past = new Date(Date.now() - 31 * 24 * 60 * 60 * 1000)
  await utimes(await fileOf(), past, past)
  expect(await known()).toEqual(nothing)
})

test('a line that was cut off by a kill is removed, and damaged lines are ignored', async () => {
  await interrupted()
  await appendFile(await fileOf(), 'garbage\n{"kind":"unheard of"}\n{"kind":"acknowledged","code":"4000')
  expect(await known()).toEqual(one)
  await open().then(async journal => {
    journal.acknowledged(jam, { ...acknowledgement, offset: 42 }, seen)
    await journal[Symbol.asyncDispose]()
  })
  expect(await known()).toMatchObject({ done: [2, 2], has: [true, true] })
})

test('an empty file, and one without its first line, are replaced', async () => {
  await interrupted()
  const file = await fileOf()
  const [, ...rest] = (await readFile(file, 'utf8')).split('\n')
  for (const text of ['', rest.join('\n')]) {
    await writeFile(file, text)
    expect((await known()).done).toBe(null)
  }
})

test('an address has one crawl at a time, and the error of the second names the pid of the first', async () => {
  await using _first = await open()
  await expect(open()).rejects.toMatchObject({
    code: 'SCRAPE_RUNNING',
    outcome: 'locked',
    message: `Another scrape of \`${address}\` is in progress, pid ${process.pid}`,
    hint: `wait until it has finished, or stop it with \`kill ${process.pid}\``,
  })
  await using _other = await open({ address: `${address}-and-sons` })
})

test('a killed process holds no lock', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  await once(child, 'spawn')
  await interrupted()
  const holder = (await fileOf()).replace(/jsonl$/, 'holder')
  await writeFile(holder, JSON.stringify({ version: 1, ...(await identify(Number(child.pid))) }))
  await expect(open()).rejects.toMatchObject({ message: expect.stringContaining(`pid ${child.pid}`) })
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(await known()).toEqual(one)
  // Another process may bear the pid by now.
  await writeFile(holder, JSON.stringify({ version: 1, pid: process.pid, startId: 'long ago' }))
  expect(await known()).toEqual(one)
})
