import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
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
