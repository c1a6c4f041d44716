import { parse } from 'yaml'
import { Config } from './config.ts'
import { environmentName, isText, leaves, nest, settingPaths, within } from './paths.ts'

/** Where the value of a setting comes from. */
export interface SettingOrigin {
  /** From the lowest to the highest precedence. */
  readonly kind: 'default' | 'file' | 'profile' | 'environment' | 'stack' | 'flag'
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
  /** What is before the path of a setting in the file, such as `profiles.prod.`. */
  readonly prefix?: string
}

/** Environment variables. */
export type Environment = Readonly<Record<string, string | undefined>>

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
