import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { daemonResponds, until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { programWithAllCommands } from './allCommands.ts'

const offstream = fileURLToPath(new URL('../bin/offstream.js', import.meta.url))

/** Writes the URL of each module that Node loads to standard error. */
const hooks = `
import { writeSync } from 'node:fs'
export const load = (url, context, next) => {
  writeSync(2, 'loaded ' + url + '\\n')
  return next(url, context)
}`
const dataUrl = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`
const recorder = dataUrl(
  `import { register } from 'node:module'; register(${JSON.stringify(dataUrl(hooks))})`,
)

/** The built command, which logs the modules that it loads. */
const recorded = (args: readonly string[]) =>
  spawn(process.execPath, ['--import', recorder, offstream, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })

/** The packages of such a log, each once: `kafkajs`, `@commander-js/extra-typings`, `pipeline/names`. */
const packagesIn = (record: string): Set<string> => {
  const others = record.matchAll(/^loaded file:.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/gm)
  const ours = record.matchAll(/^loaded file:.*\/packages\/((?!cli\/)[^/]+)\/dist\/(.+)\.js$/gm)
  return new Set([
    ...[...others].map(([, name = '']) => name),
    ...[...ours].map(([, name, file]) => `${name}/${file}`),
  ])
}

const pathsOf = (command: CommandUnknownOpts, path: readonly string[] = []): string[][] => [
  [...path],
  ...command.commands.flatMap(inner => pathsOf(inner, [...path, inner.name()])),
]

test('help loads the parser of the command line, and nothing that only a command needs', async () => {
  const paths = pathsOf(await programWithAllCommands()).filter(([name]) => name !== 'daemon')
  const loaded = new Set<string>()
  const withoutUsage: string[] = []
  for (const path of paths) {
    const help = recorded([...path, '--help'])
    const [printed, record] = await Promise.all([text(help.stdout), text(help.stderr)])
    if (!printed.startsWith(`Usage: ${['offstream', ...path].join(' ')} `)) withoutUsage.push(path.join(' '))
    for (const name of packagesIn(record)) loaded.add(name)
  }
  expect([[...loaded].sort(), withoutUsage]).toEqual([
    ['@commander-js/extra-typings', 'pipeline/names', 'runtime/errors'],
    [],
  ])
  expect(paths.length).toBeGreaterThan(25)
})

test('a daemon has loaded the clients of its services before it accepts requests', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-loading-'))
  const daemon = recorded(['daemon', '--project', directory])
  onTestFinished(async () => {
    daemon.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })
  let record = ''
  daemon.stderr.on('data', chunk => {
    record += chunk
  })
  const { run } = directoriesOf(stateFolder(directory, null))
  await until(
    async () => {
      if (!(await daemonResponds(run))) throw new Error('it does not respond yet')
    },
    { what: 'the daemon to respond', timeoutMs: 30_000 },
  )
  const loaded = packagesIn(record)
  expect(['execa', 'hive-driver', 'kafkajs'].filter(name => !loaded.has(name))).toEqual([])
  daemon.kill('SIGTERM')
  await once(daemon, 'exit')
})

test('built files import built files', async () => {
  const packages = fileURLToPath(new URL('../..', import.meta.url))
  const importingSources: string[] = []
  for (const name of ['runtime', 'pipeline', 'site', 'cli']) {
    const built = join(packages, name, 'dist')
    const files = (await readdir(built, { recursive: true })).filter(
      file => file.endsWith('.js') && !file.endsWith('.test.js'),
    )
    expect(files).not.toEqual([])
    for (const file of files)
      if (/\b(?:from|import)\b *\(?['"][./][^'"]*\.ts['"]/.test(await readFile(join(built, file), 'utf8')))
        importingSources.push(`${name}/${file}`)
  }
  expect(importingSources).toEqual([])
})
