import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitStatus } from '@offstream/runtime'
import { expect, test } from 'vitest'
import { commands } from './commands.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const readme = readFileSync(join(root, 'README.md'), 'utf8')

/** The rows of the tables of a chapter, each the texts of its cells; without back-ticks. */
const rowsOf = (chapter: string): string[][] => {
  const [, ...parts] = readme.split(/^#{2,3} /m)
  const text = parts.find(part => part.startsWith(`${chapter}\n`)) ?? ''
  return text
    .split('\n')
    .filter(line => /^\| [^-]/.test(line))
    .map(line =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map(cell => cell.trim().replaceAll('`', '')),
    )
}

const filesBelow = (directory: string): string[] =>
  readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map(file => join(directory, file))

const sources = readdirSync(join(root, 'packages'))
  .flatMap(name => filesBelow(join('packages', name, 'src')))
  .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** An error's code and outcome: as the constructor takes them, or side by side as arguments of a function that calls it. */
const constructed = /new OffstreamError\(\s*'([A-Z_]+)'(?:(?!new OffstreamError)[\s\S])*?outcome: '(\w+)'/g
const passedOn = /'([A-Z]+(?:_[A-Z]+)+)',\s*'(\w+)',/g

const isOutcome = (word: string): word is keyof typeof exitStatus => Object.hasOwn(exitStatus, word)

const codesIn = (text: string) =>
  [...text.matchAll(constructed), ...text.matchAll(passedOn)].flatMap(([, code = '', outcome = '']) =>
    isOutcome(outcome) ? [{ code, exit: exitStatus[outcome] }] : [],
  )

test('the README explains every error code of the source, and no other, with its exit statuses', () => {
  const exits = new Map<string, Set<number>>()
  for (const { code, exit } of sources.flatMap(({ text }) => codesIn(text)))
    exits.set(code, (exits.get(code) ?? new Set()).add(exit))
  const inSource = [...exits]
    .map(([code, statuses]) => `${code} ${[...statuses].sort((a, b) => a - b).join(', ')}`)
    .sort()
  expect(
    rowsOf('Error codes')
      .slice(1)
      .map(([code, exit]) => `${code} ${exit}`),
  ).toEqual(inSource)
})

test('every file that makes an error whose code is not written there tells it in the form that is read here', () => {
  const unread = sources.filter(
    ({ text }) =>
      /new OffstreamError\(\s*[^'\s]/.test(text) && codesIn(text.replace(constructed, '')).length === 0,
  )
  // An error that crosses from one process to another has got its code in the other.
  expect(unread.map(({ file }) => file)).toEqual(['packages/runtime/src/daemon/protocol.ts'])
})

test('the README explains every exit status', () => {
  expect(
    rowsOf('When something goes wrong')
      .slice(1)
      .map(([exit, kind]) => [kind, Number(exit)]),
  ).toEqual(Object.entries(exitStatus))
})

test('the README shows every command, and no other', () => {
  const shown = rowsOf('Commands').flatMap(([first]) => /^offstream (\w+)/.exec(first ?? '')?.[1] ?? [])
  const visible = Object.entries(commands).flatMap(([name, { hidden }]) => (hidden ? [] : [name]))
  expect(shown).toEqual(visible)
})

test('every link of the documents to a file of the project leads to one', () => {
  const documents = [
    'README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'config/README.md',
    'spark-jobs/README.md',
  ]
    .concat(readdirSync(join(root, 'packages')).map(name => `packages/${name}/README.md`))
    .filter(file => existsSync(join(root, file)))
  const broken = documents.flatMap(file =>
    [...readFileSync(join(root, file), 'utf8').matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter(target => !existsSync(join(root, dirname(file), target)))
      .map(target => `${file}: ${target}`),
  )
  expect(broken).toEqual([])
})
