import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { isMap, isScalar, LineCounter, parse, parseDocument } from 'yaml'
import { Config } from './config.ts'
import { environmentName, isText, leaves, nest, sections, settingPaths, within } from './paths.ts'

/** Where the value of a setting comes from. */
export interface SettingOrigin {
  /** From the lowest to the highest precedence. */
  readonly kind: 'default' | 'file' | 'environment' | 'stack' | 'flag'
  /** For the user: `<file>:<line>`, `environment OFFSTREAM_KAFKA_PORT`, `the running stack`, `--set`. */
  readonly place: string
}

/** Settings of one origin. */
export interface Layer {
  readonly kind: SettingOrigin['kind']
  /** By path, such as `kafka.port`. */
  readonly values: ReadonlyMap<string, unknown>
  /** What could not be parsed, one line each. */
  readonly problems: readonly string[]
  readonly placeOf: (path: string) => string
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

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

/** The settings of the configuration file; none if the file does not exist. */
export const fileLayer = (found: ConfigFile | null): Layer => {
  if (found === null) return { kind: 'file', values: new Map(), problems: [], placeOf: () => '' }
  const { file, text } = found
  if (typeof text !== 'string')
    return { kind: 'file', values: new Map(), problems: [`${file}: ${messageOf(text)}`], placeOf: () => file }
  const { values, lines, problems } = parseYaml(text)
  const placeAt = (line: number) => `${file}:${line}`
  return {
    kind: 'file',
    values,
    problems: problems.map(({ line, message }) => `${placeAt(line)}: ${message}`),
    placeOf: path => placeAt(lines.get(path) ?? 1),
  }
}

interface ParsedFile {
  readonly values: ReadonlyMap<string, unknown>
  /** The line of each setting and section. */
  readonly lines: ReadonlyMap<string, number>
  readonly problems: readonly { readonly line: number; readonly message: string }[]
}

const parseYaml = (text: string): ParsedFile => {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter })
  const values = new Map<string, unknown>()
  const lines = new Map<string, number>()
  const walk = (node: unknown, path: readonly string[]): void => {
    if (!isMap(node)) {
      if (path.length > 0) values.set(path.join('.'), isScalar(node) ? node.value : parse(String(node)))
      return
    }
    for (const { key, value } of node.items) {
      const inner = [...path, String(key)]
      if (isScalar(key) && key.range) lines.set(inner.join('.'), lineCounter.linePos(key.range[0]).line)
      // A section whose lines are all comments is null in YAML.
      if (isEmpty(value) && sections.includes(inner.join('.'))) continue
      walk(value, inner)
    }
  }
  const problems = document.errors.map(({ linePos, message }) => ({
    line: linePos?.[0].line ?? 1,
    message: message.split('\n')[0] ?? '',
  }))
  if (problems.length === 0 && !isEmpty(document.contents) && !isMap(document.contents))
    problems.push({ line: 1, message: 'must be settings, such as `kafka: {port: 9093}`' })
  if (problems.length === 0) walk(document.contents, [])
  return { values, lines, problems }
}

const isEmpty = (node: unknown): boolean => node === null || (isScalar(node) && node.value === null)

/** The settings of environment variables such as `OFFSTREAM_KAFKA_PORT`. */
export const environmentLayer = (environment: Environment): Layer => {
  const values = new Map<string, unknown>()
  for (const path of settingPaths) {
    const text = environment[environmentName(path)]
    if (text !== undefined && text !== '') values.set(path, parsedValue(path, text))
  }
  return {
    kind: 'environment',
    values,
    problems: [],
    placeOf: path => `environment ${environmentName(path)}`,
  }
}

/** Sections that no service uses: the user can change them while a stack runs. */
const scrapeSections = [
  'web',
  'api',
  'export',
  'topic',
  'browser',
] as const satisfies readonly (keyof Config)[]

/** What a running stack was started with; nothing if none runs. */
export const stackLayer = (config: Config | null): Layer => ({
  kind: 'stack',
  values: new Map(
    config === null
      ? []
      : leaves(config).filter(([path]) => !scrapeSections.some(section => within(path, section))),
  ),
  problems: [],
  placeOf: () => 'the running stack',
})

/** The settings of `--set kafka.port=9093`. */
export const flagLayer = (settings: readonly string[]): Layer => {
  const values = new Map<string, unknown>()
  const problems: string[] = []
  for (const setting of settings) {
    const [, path, text] = /^([\w.]+)=(.*)$/s.exec(setting) ?? []
    if (path === undefined || text === undefined)
      problems.push(`--set ${setting}: must have the form \`kafka.port=9093\``)
    else values.set(path, parsedValue(path, text))
  }
  return { kind: 'flag', values, problems, placeOf: () => '--set' }
}

/** The value of a setting that is written as text, in a flag or in the environment. */
const parsedValue = (path: string, text: string): unknown => (isText(path) ? text : parse(text))

/** The defaults with these settings (`kafka.port=9093`) instead; cross-field rules are not checked. */
export const configOf = (settings: readonly string[]): Config =>
  Config.parse(nest(flagLayer(settings).values))

/** The layers' settings; a later layer has precedence over an earlier one. */
export const mergeLayers = (layers: readonly Layer[]): ReadonlyMap<string, unknown> =>
  new Map(layers.flatMap(layer => [...layer.values]))

/** Where each setting comes from, by its path. */
export const originsOf = (layers: readonly Layer[]): ReadonlyMap<string, SettingOrigin> =>
  new Map(settingPaths.map(path => [path, originOf(path, layers)]))

const originOf = (path: string, layers: readonly Layer[]): SettingOrigin => {
  // A map is one setting, but a layer can hold single entries of it.
  const layer = layers.findLast(({ values }) =>
    [...values.keys()].some(key => within(path, key) || within(key, path)),
  )
  return layer === undefined
    ? { kind: 'default', place: 'default' }
    : { kind: layer.kind, place: layer.placeOf(path) }
}
