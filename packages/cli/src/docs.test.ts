import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, normalize } from 'node:path'
import { environmentName, loadProject, programVariables, settingPaths } from '@offstream/pipeline'
import { afterAll, expect, test } from 'vitest'
import { programWithAllCommands } from './allCommands.ts'
import { commands } from './commands.ts'
import { errorCodes } from './errorCodes.ts'
import { runCommand } from './testCommand.ts'
import { unknownIn } from './testCommandLine.ts'
import {
  anchorsIn,
  callsOf,
  codeBlocksIn,
  documentAt,
  documents,
  linksIn,
  proseOf,
  root,
  shellCallsIn,
  sources,
  tablesIn,
} from './testDocuments.ts'

const program = await programWithAllCommands()
const scratch = mkdtempSync(join(tmpdir(), 'offstream-docs-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const readme = documentAt('README.md')
if (readme === undefined) throw new Error('README.md does not exist')

/** The changelog also names what no longer exists. */
const current = documents.filter(({ file }) => file !== 'CHANGELOG.md')

test('the README has at most 10 KB', () => {
  expect(Buffer.byteLength(readme.text)).toBeLessThanOrEqual(10_240)
})

test('the README of a package has at most 60 lines', () => {
  const readmes = documents.filter(({ file }) => /^(?:packages|spark-jobs)\/(?:.*\/)?README\.md$/.test(file))
  const long = readmes.filter(({ text }) => text.trimEnd().split('\n').length > 60)
  expect(long.map(({ file }) => file)).toEqual([])
  expect(readmes.length).toBeGreaterThanOrEqual(8)
})

test('the README lists every command, in the order of the help', () => {
  const table = tablesIn(readme).find(([head]) => head?.[0] === 'command') ?? []
  const listed = table.slice(2).map(([first = '']) => /^`offstream (\w+)/.exec(first)?.[1])
  const visible = Object.entries(commands).flatMap(([name, { hidden }]) => (hidden ? [] : [name]))
  expect(listed).toEqual(visible)
})

test('the README links to every page of docs/', () => {
  const linked = linksIn(readme).map(({ path }) => path)
  const pages = documents.map(({ file }) => file).filter(file => file.startsWith('docs/'))
  expect(pages.filter(page => !linked.includes(page))).toEqual([])
  expect(pages.length).toBeGreaterThanOrEqual(8)
})

test('every call of offstream in a document exists with its options', () => {
  const calls = current.flatMap(document => callsOf(document).map(call => ({ file: document.file, call })))
  expect(
    calls.flatMap(({ file, call }) => unknownIn(call, program).map(word => `${file}: ${call}: ${word}`)),
  ).toEqual([])
  expect(calls.length).toBeGreaterThan(100)
})

test('calls are found in shell blocks whatever stands around them', () => {
  const text = `export A=1
npx offstream up --ports auto   # a remark
$ offstream down && npx offstream reset --table | cat
npx offstream scrape --source stdin < records.jsonl
npm run demo
`
  expect(shellCallsIn(text)).toEqual([
    'offstream up --ports auto',
    'offstream down',
    'offstream reset --table',
    'offstream scrape --source stdin',
  ])
})

/** Commands that need neither services nor the network. */
const cheap = /^offstream (?:config show|explain|completion \w|reset .*--dry-run|init)\b/

test('the commands of the documents that need no services succeed', async () => {
  const calls = [...new Set(current.flatMap(callsOf))].filter(
    call => cheap.test(call) && !/<|--help/.test(call),
  )
  expect(calls.length).toBeGreaterThanOrEqual(5)
  for (const call of calls) {
    const words = [...call.matchAll(/"[^"]*"|'[^']*'|\S+/g)]
      .slice(1)
      // The home folder of the user becomes the scratch folder.
      .map(([word]) => word.replaceAll(/["']/g, '').replace(/^~/, scratch))
    if (words[0] === 'init' && !words.some(word => word.startsWith(scratch))) continue
    const isSetting = (at: number): boolean => words[at] === '--set' || words[at - 1] === '--set'
    const own = words.filter((_, at) => !isSetting(at))
    const settings = words.filter((word, at) => isSetting(at) && word !== '--set')
    const { exitCode } = await runCommand(own, { project: scratch, settings })
    expect({ call, exitCode }).toEqual({ call, exitCode: 0 })
  }
})

test('every npm script that a document names exists', async () => {
  const manifest = (await import(join(root, 'package.json'), { with: { type: 'json' } })).default
  const named = current.flatMap(({ file, text }) =>
    [...text.matchAll(/\bnpm run (?:--silent )?([\w:]+)/g)].map(([, script = '']) => ({ file, script })),
  )
  expect(named.filter(({ script }) => !Object.hasOwn(manifest.scripts, script))).toEqual([])
  expect(named.length).toBeGreaterThan(0)
})

test('every link between documents leads to a file, and to a heading of it', () => {
  const broken = documents.flatMap(document =>
    linksIn(document).flatMap(({ path, anchor }) => {
      const target = path === '' ? document.file : normalize(join(dirname(document.file), path))
      const link = `${document.file}: ${path}${anchor === null ? '' : `#${anchor}`}`
      if (!existsSync(join(root, target))) return [link]
      const linked = documentAt(target)
      return anchor === null || linked === undefined || anchorsIn(linked).has(anchor) ? [] : [link]
    }),
  )
  expect(broken).toEqual([])
})

const sections = new Set(
  settingPaths.flatMap(path => path.split('.').map((_, depth, keys) => keys.slice(0, depth).join('.'))),
)
const topSections = new Set([...sections].filter(section => section !== '' && !section.includes('.')))
const fileEnding = /\.(?:ts|py|sql|md|json|jsonl|yaml|yml|properties|svg|log|txt|xml|js|twb|html)$/

test('every setting that a document names exists', () => {
  const unknown = current.flatMap(document =>
    [...proseOf(document).matchAll(/`(?:--set )?([a-z]+(?:\.[a-zA-Z]+)+)(?:=[^`]*)?`/g)]
      .map(([, path = '']) => path)
      .filter(path => topSections.has(path.split('.')[0] ?? '') && !fileEnding.test(path))
      // The tables.
      .filter(path => !/^lake\.(?:(?:off|shop)\.|products$)/.test(path))
      .filter(path => !settingPaths.includes(path) && !sections.has(path))
      .map(path => `${document.file}: ${path}`),
  )
  expect(unknown).toEqual([])
})

test('every variable OFFSTREAM_… that a document names exists', () => {
  const known = new Set([
    ...settingPaths.map(environmentName),
    ...['OFFSTREAM_CACHE', 'OFFSTREAM_STACK', 'OFFSTREAM_PROFILE', 'OFFSTREAM_MARK'],
    ...['OFFSTREAM_KAFKA_PASSWORD', 'OFFSTREAM_TOPIC_PASSWORD', 'OFFSTREAM_THRIFT_PASSWORD'],
    'OFFSTREAM_LAKE_PASSWORD',
    ...['OFFSTREAM_FUZZ_RUNS', 'OFFSTREAM_FUZZ_SEED'],
    ...programVariables,
    'OFFSTREAM_CHECKPOINT',
  ])
  const unknown = current.flatMap(({ file, text }) =>
    [...text.matchAll(/\bOFFSTREAM_[A-Z][A-Z_]*[A-Z]/g)]
      .map(([name]) => name)
      .filter(name => !known.has(name))
      .map(name => `${file}: ${name}`),
  )
  expect(unknown).toEqual([])
})

test('the examples of settings in docs/ are valid configurations', async () => {
  const blocks = documents
    .filter(({ file }) => file.startsWith('docs/'))
    .flatMap(codeBlocksIn)
    .filter(({ language }) => language === 'yaml')
  for (const { text } of blocks) {
    writeFileSync(join(scratch, 'offstream.yaml'), text)
    await expect(loadProject({ from: scratch, environment: {} })).resolves.toBeDefined()
  }
  rmSync(join(scratch, 'offstream.yaml'))
  expect(blocks.length).toBeGreaterThanOrEqual(5)
})

test('docs/configuration.md shows the error of a wrong file as it is', async () => {
  const page = documentAt('docs/configuration.md')
  const shown = page && codeBlocksIn(page).find(({ text }) => text.startsWith('✖'))
  const file = join(scratch, 'offstream.yaml')
  writeFileSync(file, 'kafka:\n  port: 70000\nspark:\n  worker:\n    core: 4\n')
  const error = await loadProject({ from: scratch, environment: {} }).catch(error => error)
  rmSync(file)
  const lines = `✖ ${error.message} [${error.code}]\n→ ${error.hint}\n`
  expect(shown?.text).toBe(lines.replaceAll(scratch, '~/shop'))
})

test('every error code that a document names exists', () => {
  // Words in capitals that only look like codes.
  const others =
    /^(?:[A-Z]+_HOME|OFFSTREAM_|PYSPARK_|SPARK_|HADOOP_|JAVA_|JDK_|LD_|LC_|O_|NO_COLOR|PIP_|AWS_)/
  const unknown = current.flatMap(document =>
    [...proseOf(document).matchAll(/`([A-Z]+(?:_[A-Z]+)+)`/g)]
      .map(([, code = '']) => code)
      .filter(code => !errorCodes.has(code) && !others.test(code))
      .map(code => `${document.file}: ${code}`),
  )
  expect(unknown).toEqual([])
})

test('every key and event of the JSON examples in docs/ occurs in the source', () => {
  const source = sources.join('\n')
  const examples = documents
    .filter(({ file }) => file.startsWith('docs/'))
    .flatMap(codeBlocksIn)
    .filter(({ language }) => language === 'json')
  const unknown = examples.flatMap(({ document, text }) => [
    ...[...text.matchAll(/"(\w+)":/g)]
      .filter(([, key = '']) => !new RegExp(`\\b${key}\\b`).test(source))
      .map(([key]) => `${document}: ${key}`),
    ...[...text.matchAll(/"kind": "(\w+)"/g)]
      .filter(([, kind = '']) => !source.includes(`kind: '${kind}'`))
      .map(([kind]) => `${document}: ${kind}`),
  ])
  expect(unknown).toEqual([])
  expect(examples.length).toBeGreaterThanOrEqual(3)
})
