import { stringify } from 'yaml'
import { Config } from './config.ts'

/** A part of a configuration that has its own settings. */
const isSectionValue = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The single values of a configuration or a part of it, each with its path such as `spark.worker.webPort`. */
export const leaves = (value: unknown, path: readonly string[] = []): [string, unknown][] =>
  isSectionValue(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
    : [[path.join('.'), value]]

/** A section without a prototype: in `{}`, the key `__proto__` would be the prototype of every object. */
const emptySection = (): Record<string, unknown> => Object.create(null)

/** The inverse of `leaves`. */
export const nest = (values: ReadonlyMap<string, unknown>): Record<string, unknown> => {
  const root = emptySection()
  for (const [path, value] of values) {
    const keys = path.split('.')
    const last = keys.pop() ?? path
    let section = root
    for (const key of keys) {
      const inner = section[key]
      const next = isSectionValue(inner) ? inner : emptySection()
      section[key] = next
      section = next
    }
    section[last] = value
  }
  return root
}

const defaults = leaves(Config.parse({}))

/** Path of every setting, in the order of the file. */
export const settingPaths: readonly string[] = defaults.map(([path]) => path)

/** Paths of the settings that are ports. */
export const portPaths: readonly string[] = settingPaths.filter(path => /port$/i.test(path))

/** The only setting that is a map: `{code: $.gtin}`, or `topic.mapping.code` for one entry. */
export const mappingPath = 'topic.mapping'

/** Whether the setting may be text. Without a default, only the schema says so. */
const acceptsText = ([path, value]: readonly [string, unknown]): boolean => {
  if (value !== null) return typeof value === 'string'
  const { error } = Config.safeParse(nest(new Map([[path, 'text']])))
  return error?.issues.every(({ code }) => code !== 'invalid_type') ?? true
}

const textSettings = new Set(defaults.filter(acceptsText).map(([path]) => path))

/** Whether the value of this setting is text, also if the text is `12` or `true`. */
export const isText = (path: string): boolean =>
  textSettings.has(path) || (path !== mappingPath && within(path, mappingPath))

/** Paths of the parts of a configuration that have their own settings, such as `spark.worker`. */
export const sections: readonly string[] = [
  ...new Set(
    settingPaths.flatMap(path => path.split('.').map((_, depth, keys) => keys.slice(0, depth).join('.'))),
  ),
].filter(section => section !== '')

/** Whether `key` is `path`, or a part of it. */
export const within = (key: string, path: string): boolean => key === path || key.startsWith(`${path}.`)

/** The environment variable for a setting: `spark.worker.webPort` → `OFFSTREAM_SPARK_WORKER_WEB_PORT`. */
export const environmentName = (path: string): string =>
  `OFFSTREAM_${path.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`

/** The value of each setting, by its path. */
export const settingsOf = (config: Config): ReadonlyMap<string, unknown> =>
  new Map(settingPaths.map(path => [path, valueAt(config, path)]))

/** The value of a numeric setting. */
export const numberAt = (config: Config, path: string): number => Number(valueAt(config, path))

const valueAt = (config: Config, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((section, key) => (isSectionValue(section) ? section[key] : undefined), config)

/** A configuration in the form of `offstream.yaml`, with every setting. */
export const configYaml = (config: Config): string => stringify(config)
