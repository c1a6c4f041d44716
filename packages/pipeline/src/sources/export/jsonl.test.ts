import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Entry } from './format.ts'
import { jsonlEntries, jsonlFileEntries } from './jsonl.ts'

let folder: string
let thread: URL

// Node 20 runs no TypeScript, and a thread is beyond the reach of vitest.
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'offstream-scan-'))
  await writeFile(join(folder, 'package.json'), '{"type":"module"}')
  await build('../../../../runtime/src/errors.ts')
  for (const name of ['scanThread.ts', 'scan.ts', 'lines.ts', 'pick.ts']) await build(name)
  thread = pathToFileURL(join(folder, 'scanThread.js'))
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const build = async (name: string): Promise<void> => {
  const source = await readFile(join(import.meta.dirname, name), 'utf8')
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      module: ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2023,
      rewriteRelativeImportExtensions: true,
    },
  })
  await writeFile(
    join(folder, name.replace(/^.*\//, '').replace('.ts', '.js')),
    outputText.replace('@offstream/runtime/errors', './errors.js'),
  )
}

const all = async (entries: AsyncIterable<readonly Entry[]>): Promise<Entry[]> => {
  const found: Entry[] = []
  for await (const some of entries) found.push(...some)
  return found
}

/** 17 MB, in parts that end anywhere, among them lines that are none. */
const longFile = function* (): Generator<Buffer> {
  const line = (code: number) =>
    `{"padding":"${'é'.repeat(2_000)}","code":"${code}","brands":"Été, \\"A\\""}\n`
  const broken = ['\n', '{"code":"1","brands"\n', '[]\n', '{"code":tru}\n']
  const text = Array.from({ length: 4_300 }, (_, index) => line(index) + (broken[index % 1_000] ?? '')).join(
    '',
  )
  const bytes = Buffer.concat([
    Buffer.from(text),
    Buffer.from([0x22, 0xff, 0x22, 0x0a]),
    Buffer.from(line(7).trim()),
  ])
  for (let at = 0; at < bytes.length; at += 99_991) yield bytes.subarray(at, at + 99_991)
}

async function* later(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
}

test('a long file that a thread scans gives what it gives without', async () => {
  const entries = await all(jsonlFileEntries(later(longFile()), thread))
  expect(entries.length).toBeGreaterThan(4_300)
  expect(entries).toEqual(await all(jsonlEntries(later(longFile()))))
})

test('a file that is left early is closed', async () => {
  let isClosed = false
  async function* endless(): AsyncGenerator<Buffer> {
    try {
      for (;;) yield* longFile()
    } finally {
      isClosed = true
    }
  }
  for await (const entries of jsonlFileEntries(endless(), thread)) {
    expect(entries[0]).toEqual({ place: 1, value: { code: '0', brands: 'Été, "A"' } })
    break
  }
  expect(isClosed).toBe(true)
})

test('a file that breaks off in the middle says so, after what stood before', async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield* longFile()
    throw new Error('the disk is gone')
  }
  let count = 0
  const read = async () => {
    for await (const entries of jsonlFileEntries(broken(), thread)) count += entries.length
  }
  await expect(read()).rejects.toThrow('the disk is gone')
  // All but the last, which has no end.
  expect(count).toBe((await all(jsonlEntries(later(longFile())))).length - 1)
})

test('a thread that can’t run ends the reading', async () => {
  const missing = pathToFileURL(join(folder, 'missing.js'))
  await expect(all(jsonlFileEntries(later(longFile()), missing))).rejects.toThrow(/Cannot find module/)
})
