import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { isMap, isScalar, LineCounter, parse, parseDocument } from 'yaml'
import { stackNamePattern } from '../names.ts'
import type { Layer } from './layers.ts'
import { sections } from './paths.ts'

const fileNames = ['offstream.yaml', 'config/offstream.yaml']

/** A configuration file that was found. */
export interface ConfigFile {
  /** The folder of the project. */
  readonly directory: string
  readonly file: string
  /** An error if the file cannot be read. */
  readonly text: string | Error
}

/** The configuration file of `from`, or of the nearest folder above that has one. */
export const findConfigFile = async (from: string): Promise<ConfigFile | null> => {
  for (const name of fileNames) {
    const file = join(from, name)
    const text = await readFile(file, 'utf8').catch(error =>
      error.code === 'ENOENT' || error.code === 'ENOTDIR' ? null : error,
    )
    if (text !== null) return { directory: from, file, text }
  }
  const parent = dirname(from)
  return parent === from ? null : findConfigFile(parent)
}

/** The settings of a configuration file. */
export interface FileLayers {
  /** The settings outside of profiles, and the problems of the whole file. */
  readonly base: Layer
  /** The settings of each profile, by its name. */
  readonly profiles: ReadonlyMap<string, Layer>
}

/** The settings of the configuration file; none if the file does not exist. */
export const fileLayers = (found: ConfigFile | null): FileLayers => {
  if (found === null) return withoutSettings([], '')
  const { file, text } = found
  if (typeof text !== 'string') return withoutSettings([`${file}: ${messageOf(text)}`], file)
  const { base, profiles, lines, problems } = parseYaml(text)
  const placeAt = (line: number) => `${file}:${line}`
  const placeIn = (prefix: string) => (path: string) => placeAt(lines.get(`${prefix}${path}`) ?? 1)
  const profileLayer = (name: string, values: Values): Layer => {
    const prefix = `${profilesKey}.${name}.`
    return { kind: 'profile', values, problems: [], placeOf: placeIn(prefix), prefix }
  }
  return {
    base: {
      kind: 'file',
      values: base,
      problems: problems.map(({ line, message }) => `${placeAt(line)}: ${message}`),
      placeOf: placeIn(''),
    },
    profiles: new Map([...profiles].map(([name, values]) => [name, profileLayer(name, values)])),
  }
}

const withoutSettings = (problems: readonly string[], place: string): FileLayers => ({
  base: { kind: 'file', values: new Map(), problems, placeOf: () => place },
  profiles: new Map(),
})

/** The only key of the file that is not a setting: a map from names to settings. */
const profilesKey = 'profiles'

/** By path, such as `kafka.port`. */
type Values = ReadonlyMap<string, unknown>

interface Problem {
  readonly line: number
  readonly message: string
}

interface ParsedFile {
  /** The settings outside of profiles. */
  readonly base: Values
  readonly profiles: ReadonlyMap<string, Values>
  /** The line of each setting and section, by its path in the file. */
  readonly lines: ReadonlyMap<string, number>
  readonly problems: readonly Problem[]
}

const parseYaml = (text: string): ParsedFile => {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter })
  const { contents } = document
  const problems: Problem[] = document.errors.map(({ linePos, message }) => ({
    line: linePos?.[0].line ?? 1,
    message: message.split('\n')[0] ?? '',
  }))
  if (problems.length === 0 && !isEmpty(contents) && !isMap(contents))
    problems.push({ line: 1, message: 'must be settings, such as `kafka: {port: 9093}`' })
  if (problems.length > 0) return { base: new Map(), profiles: new Map(), lines: new Map(), problems }
  const lines = linesOf(contents, lineCounter)
  const all = isMap(contents) ? contents.items : []
  const isProfiles = ({ key }: { readonly key: unknown }) => String(key) === profilesKey
  const base = new Map(
    all.filter(pair => !isProfiles(pair)).flatMap(({ key, value }) => settingsIn(value, [String(key)])),
  )
  const profiles = new Map<string, Values>()
  const inProfiles = all.find(isProfiles)?.value ?? null
  for (const { name, value, problem } of profilesIn(inProfiles)) {
    const place = name === null ? profilesKey : `${profilesKey}.${name}`
    if (problem !== null) problems.push({ line: lines.get(place) ?? 1, message: `${place}: ${problem}` })
    else if (name !== null) profiles.set(name, new Map(settingsIn(value, [])))
  }
  return { base, profiles, lines, problems }
}

/** The settings in a node of the file, by their paths. */
const settingsIn = (node: unknown, path: readonly string[]): [string, unknown][] => {
  // A section whose lines are all comments is null in YAML.
  if (isEmpty(node) && (path.length === 0 || sections.includes(path.join('.')))) return []
  return isMap(node)
    ? node.items.flatMap(({ key, value }) => settingsIn(value, [...path, String(key)]))
    : [[path.join('.'), isScalar(node) ? node.value : parse(String(node))]]
}

interface WrittenProfile {
  /** Null: the problem concerns the map of all profiles. */
  readonly name: string | null
  readonly value: unknown
  readonly problem: string | null
}

const profilesIn = (node: unknown): readonly WrittenProfile[] => {
  if (isEmpty(node)) return []
  if (!isMap(node))
    return [{ name: null, value: node, problem: 'must be a map from names to settings, such as `prod: {…}`' }]
  return node.items.map(({ key, value }) => ({
    name: String(key),
    value,
    problem: profileProblem(String(key), value),
  }))
}

const profileProblem = (name: string, value: unknown): string | null => {
  if (!stackNamePattern.test(name))
    return 'the name must have at most 40 characters: lowercase letters, digits and hyphens'
  return isEmpty(value) || isMap(value) ? null : 'must be a section with its own settings'
}

const linesOf = (contents: unknown, counter: LineCounter): ReadonlyMap<string, number> => {
  const lines = new Map<string, number>()
  const walk = (node: unknown, path: readonly string[]): void => {
    for (const { key, value } of isMap(node) ? node.items : []) {
      const inner = [...path, String(key)]
      if (isScalar(key) && key.range) lines.set(inner.join('.'), counter.linePos(key.range[0]).line)
      walk(value, inner)
    }
  }
  walk(contents, [])
  return lines
}

const isEmpty = (node: unknown): boolean => node === null || (isScalar(node) && node.value === null)
