import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { callsIn } from './testCommandLine.ts'

/** The folder of the repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface Document {
  /** Path from the repository's folder. */
  readonly file: string
  readonly text: string
}

export interface CodeBlock {
  readonly document: string
  /** `sh`, `yaml`, …; empty if the block names none. */
  readonly language: string
  readonly text: string
}

const skippedFolders = new Set(['node_modules', 'dist', '.git', '.offstream', '.venv', 'coverage'])

const markdownBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return skippedFolders.has(entry.name) ? [] : markdownBelow(path)
    return entry.name.endsWith('.md') && !entry.name.startsWith('offstream-report') ? [path] : []
  })

/** Every Markdown file of the repository. */
export const documents: readonly Document[] = markdownBelow('.')
  .sort()
  .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }))

/** The document at a path from the repository's folder. */
export const documentAt = (file: string): Document | undefined =>
  documents.find(document => document.file === file)

export const codeBlocksIn = ({ file, text }: Document): CodeBlock[] =>
  [...text.matchAll(/^[ ]*```(\w*)[^\n]*\n([\s\S]*?)^[ ]*```$/gm)].map(([, language = '', body = '']) => ({
    document: file,
    language,
    text: body,
  }))

/** The text without code blocks, in which `#` and `|` mean other things. */
export const proseOf = ({ text }: Document): string => text.replaceAll(/^[ ]*```[\s\S]*?^[ ]*```$/gm, '')

/** The calls of offstream in a document: in back-ticks, and in its blocks of shell commands. */
export const callsOf = (document: Document): string[] => [
  ...callsIn(proseOf(document)),
  ...codeBlocksIn(document)
    .filter(({ language }) => language === 'sh' || language === 'console')
    .flatMap(({ text }) => shellCallsIn(text)),
]

/** The calls of offstream in shell commands, without remarks and redirections. */
export const shellCallsIn = (text: string): string[] =>
  text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .map(line => line.replace(/^\$ /, '').replace(/\s+#\s.*$/, ''))
    .flatMap(line => line.split(/\s(?:&&|\|\|?|;)\s/))
    .map(command => command.trim().replace(/\s[<>]+\s.*$/, ''))
    .filter(command => /^(?:npx )?offstream /.test(command))
    .map(command => command.replace(/^npx /, ''))

/** The tables of a document; each row is its cells as text. */
export const tablesIn = (document: Document): readonly (readonly string[])[][] =>
  [...proseOf(document).matchAll(/(?:^\|.*\|$\n?)+/gm)].map(([table]) =>
    table.trim().split('\n').map(cellsOf),
  )

const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map(cell => cell.trim())

/** What GitHub calls the headings of a document, for links such as `docs/status.md#waiting`. */
export const anchorsIn = (document: Document): Set<string> => {
  const anchors = new Set<string>()
  for (const [, heading = ''] of proseOf(document).matchAll(/^#{1,6} (.+)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    let anchor = slug
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`
    anchors.add(anchor)
  }
  return anchors
}

/** Links of a document to other files and to headings. Links to the web are not among them. */
export const linksIn = (document: Document): { readonly path: string; readonly anchor: string | null }[] =>
  [...proseOf(document).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter(target => !/^[a-z]+:/.test(target))
    .map(target => {
      const [path = '', anchor = null] = target.split('#')
      return { path, anchor }
    })

/** The sources of all packages without their tests. */
export const sources: readonly string[] = readdirSync(join(root, 'packages'))
  .map(name => join(root, 'packages', name, 'src'))
  .filter(folder => existsSync(folder))
  .flatMap(folder =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map(file => readFileSync(join(folder, file), 'utf8')),
  )
