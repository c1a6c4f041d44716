import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import leven from 'leven'
import { isMap, isScalar, LineCounter, parse, parseDocument, stringify } from 'yaml'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'
import { productColumns } from '../product/product.ts'
import { stateFolder } from './directories.ts'

const port = z.int().min(1).max(65_535)
const memory = z
  .string()
  .regex(/^\d+[mg]$/, 'must be a number of megabytes or gigabytes such as `512m` or `1g`')

/** `host:port`, comma separated; the port may not be left out. */
const brokers = z
  .string()
  .regex(
    /^(?:\s*(?:[\w.-]+|\[[\da-f:.]+\]):\d{1,5}\s*(?:,|$))*$/i,
    'must be addresses such as `one.example.org:9092,two.example.org:9092`',
  )

/**
 * Everything a person may set, with its default. The commented file that people edit is `config/offstream.yaml`;
 * a test holds the two together. What a person could not choose better than we do is a constant elsewhere.
 */
export const Config = z.strictObject({
  host: z
    .string()
    // Where it stands before a port, an IPv6 address would need brackets, and Spark's own addresses know none.
    .regex(/^[\w-]+(?:\.[\w-]+)*$/, 'must be a host name or an IPv4 address')
    .refine(host => host !== '0.0.0.0', 'must be one address, which clients can connect to')
    .default('127.0.0.1')
    .describe(
      'Address that every service listens on; beyond this machine, whoever reaches it needs no password',
    ),
  kafka: z
    .strictObject({
      port: port.default(9092).describe('Port of the Kafka broker'),
      memory: memory.default('512m').describe('Heap of the broker'),
    })
    .prefault({}),
  zookeeper: z
    .strictObject({ port: port.default(2181).describe('Port of ZooKeeper, where Kafka keeps its cluster') })
    .prefault({}),
  spark: z
    .strictObject({
      port: port.default(7077).describe('Port of the Spark master'),
      webPort: port.default(8080).describe('Port of the Spark master’s web page'),
      worker: z
        .strictObject({
          cores: z.int().min(1).default(2).describe('Cores that the worker offers'),
          memory: memory.default('2g').describe('Memory that the worker offers'),
          webPort: port.default(8081).describe('Port of the worker’s web page'),
        })
        .prefault({}),
    })
    .prefault({}),
  stream: z
    .strictObject({
      webPort: port.default(4040).describe('Port of the job’s Spark UI'),
      triggerMs: z
        .int()
        .min(0)
        .default(2_000)
        .describe('Pause between two looks into the topic, milliseconds'),
      maxOffsetsPerTrigger: z.int().min(1).default(100_000).describe('Most messages that one batch takes'),
      driverMemory: memory.default('1g').describe('Memory of the job’s driver'),
      executorMemory: memory.default('1g').describe('Memory of the job’s executor on the worker'),
    })
    .prefault({}),
  thrift: z
    .strictObject({
      port: port.default(10_000).describe('Port that Tableau and SQL clients connect to'),
      cores: z.int().min(1).default(2).describe('Cores that queries may use'),
      memory: memory.default('1g').describe('Memory of the Thrift server'),
    })
    .prefault({}),
  web: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .default('https://fr.openfoodfacts.org')
        .describe('Where `scrape` begins'),
      pagesPerMinute: z
        .number()
        .positive()
        .default(30)
        .describe('Pace on a real site; a site on this machine is not slowed down'),
      concurrency: z.int().min(1).max(16).default(1).describe('Pages open at once on a real site'),
      contact: z
        .string()
        .nullable()
        .default(null)
        .describe('Who runs this, an address or e-mail: named in the User-Agent, as Open Food Facts asks'),
    })
    .prefault({}),
  api: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .default('https://world.openfoodfacts.org')
        .describe(
          'The site whose API is asked by `scrape --source api`; its host decides language and country',
        ),
    })
    .prefault({}),
  export: z
    .strictObject({
      file: z
        .string()
        .min(1)
        .default('https://static.openfoodfacts.org/data/openfoodfacts-products.jsonl.gz')
        .describe('Address or path of the export that `scrape --source export` reads: JSONL, CSV or Parquet'),
      deltas: z
        .string()
        .min(1)
        .default('https://static.openfoodfacts.org/data/delta/index.txt')
        .describe('Address or path of the list of daily changes, for `--deltas`'),
    })
    .prefault({}),
  topic: z
    .strictObject({
      brokers: brokers
        .default('')
        .describe(
          'The Kafka that `scrape --source topic` reads: `host:port`, comma separated; empty: not set',
        ),
      topic: z.string().default('').describe('Its topic; empty: not set'),
      group: z
        .string()
        .min(1)
        .default('offstream')
        .describe('Consumer group, which keeps how far the topic was read'),
      from: z
        .enum(['beginning', 'latest'])
        .default('beginning')
        .describe('Where a group begins that has not read the topic before'),
      tls: z
        .strictObject({
          enabled: z.boolean().default(false).describe('Whether to connect by TLS; certificates are checked'),
          caFile: z
            .string()
            .nullable()
            .default(null)
            .describe('PEM file of the authority that signed them; null: a public one'),
        })
        .prefault({}),
      sasl: z
        .strictObject({
          mechanism: z
            .enum(['plain', 'scram-sha-256', 'scram-sha-512'])
            .nullable()
            .default(null)
            .describe('How to sign in; null: without a name'),
          username: z.string().nullable().default(null).describe('Name to sign in with'),
          passwordVariable: z
            .string()
            .regex(/^[A-Za-z_]\w*$/, 'must be the name of an environment variable')
            .default('OFFSTREAM_TOPIC_PASSWORD')
            .describe('Name of the environment variable that holds the password, which stands in no file'),
        })
        .prefault({}),
      mapping: z
        .partialRecord(
          z.enum(productColumns),
          z.string().regex(/^\$/, 'must be a JSONPath such as `$.product.name`'),
        )
        .nullable()
        .default(null)
        .describe(
          'For columns of the record, where they stand in a message: JSONPaths such as `code: $.gtin`; null: messages are records, or products as the API has them',
        ),
    })
    .prefault({}),
  browser: z
    .strictObject({
      executablePath: z
        .string()
        .nullable()
        .default(null)
        .describe('A Chrome or Chromium to use; null: look for one'),
    })
    .prefault({}),
})

export type Config = z.infer<typeof Config>

/** Where the value of a setting came from. */
export interface SettingOrigin {
  /** In the order in which one wins over the other: the last does. */
  readonly kind: 'default' | 'file' | 'environment' | 'stack' | 'flag'
  /** As a person finds it: `<file>:<line>`, `environment OFFSTREAM_KAFKA_PORT`, `the running stack`, `--set`. */
  readonly place: string
}

export interface Project {
  readonly config: Config
  /** The folder that `offstream.yaml` (or `config/offstream.yaml`) lies in, or where offstream was called. */
  readonly directory: string
  /** Where the stack keeps all that it has. */
  readonly state: string
  /** The file that was read; null where there is none. */
  readonly file: string | null
  /** Origin of each setting by its path, such as `kafka.port`. */
  readonly origins: ReadonlyMap<string, SettingOrigin>
}

export interface ProjectOptions {
  /** Where the search for `offstream.yaml` begins, upwards. */
  readonly from: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The name of one of several stacks of the project; null for the one without a name. */
  readonly stack?: string | null
  /** `kafka.port=9093` and the like, from the command line. */
  readonly settings?: readonly string[]
  /** What a running stack was started with: later commands mean that stack, whatever the file says by now. */
  readonly remembered?: ((state: string) => Promise<Config | null>) | undefined
}

const fileNames = ['offstream.yaml', 'config/offstream.yaml']

/**
 * Reads the configuration once: flags before environment (`OFFSTREAM_KAFKA_PORT`) before file before defaults.
 * @throws OffstreamError CONFIG_INVALID with every problem at once, each with its place
 */
export const loadProject = async ({
  from,
  environment,
  stack = null,
  settings = [],
  remembered,
}: ProjectOptions): Promise<Project> => {
  const found = await findFile(resolve(from))
  const file = found === null ? emptyLayer : readFileLayer(found.file, found.text)
  const fromEnvironment = readEnvironmentLayer(environment)
  const directory = found?.directory ?? resolve(from)
  const state = stateFolder(directory, stack)
  const fromStack = rememberedLayer((await remembered?.(state)) ?? null)
  const fromFlags = readFlagLayer(settings)
  const layers = [file, fromEnvironment, fromStack, fromFlags]
  const values = new Map(layers.flatMap(layer => [...layer.values]))
  const parsed = Config.safeParse(nest(values))
  const problems = layers.flatMap(layer => layer.problems)
  problems.push(...unknownVariables(environment, values))
  if (parsed.success) problems.push(...portConflicts(parsed.data), ...topicConflicts(parsed.data))
  else {
    for (const issue of parsed.error.issues) {
      for (const path of pathsOf(issue)) {
        const layer = layers.findLast(({ values }) => [...values.keys()].some(key => within(key, path)))
        const what = issue.code === 'unrecognized_keys' ? unknownSetting(path) : demandOf(issue)
        problems.push([...(layer === undefined ? [] : [layer.placeOf(path)]), path, what].join(': '))
      }
    }
  }
  if (!parsed.success || problems.length > 0) throw invalid(problems)
  return {
    config: parsed.data,
    directory,
    state,
    file: found?.file ?? null,
    origins: new Map(settingPaths.map(path => [path, originOf(path, layers)])),
  }
}

/** A configuration in the form of `offstream.yaml`, every setting written out. */
export const configYaml = (config: Config): string => stringify(config)

/** One source of settings: values by path, what could not even be read, and how to name a place in it. */
interface Layer {
  readonly kind: SettingOrigin['kind']
  readonly values: ReadonlyMap<string, unknown>
  readonly problems: string[]
  readonly placeOf: (path: string) => string
}

const emptyLayer: Layer = { kind: 'file', values: new Map(), problems: [], placeOf: () => '' }

const originOf = (path: string, layers: readonly Layer[]): SettingOrigin => {
  // A mapping is one setting, and each of its lines has a key of its own.
  const layer = layers.findLast(({ values }) =>
    [...values.keys()].some(key => within(path, key) || within(key, path)),
  )
  return layer === undefined
    ? { kind: 'default', place: 'default' }
    : { kind: layer.kind, place: layer.placeOf(path) }
}

const findFile = async (
  from: string,
): Promise<{ readonly directory: string; readonly file: string; readonly text: string } | null> => {
  for (const name of fileNames) {
    const file = join(from, name)
    const text = await readFile(file, 'utf8').catch(error => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
      throw invalid([`${file}: ${messageOf(error)}`])
    })
    if (text !== null) return { directory: from, file, text }
  }
  const above = dirname(from)
  return above === from ? null : findFile(above)
}

const readFileLayer = (file: string, text: string): Layer => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const problems = document.errors.map(
    error => `${file}:${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0]}`,
  )
  const values = new Map<string, unknown>()
  const places = new Map<string, number>()
  const walk = (node: unknown, path: readonly string[]): void => {
    if (!isMap(node)) {
      if (path.length > 0) values.set(path.join('.'), isScalar(node) ? node.value : parse(String(node)))
      return
    }
    for (const { key, value } of node.items) {
      const inner = [...path, String(key)]
      if (isScalar(key) && key.range) places.set(inner.join('.'), lines.linePos(key.range[0]).line)
      // An empty section (all of its lines are comments) says nothing.
      if (value === null || (isScalar(value) && value.value === null && isSection(inner.join('.')))) continue
      walk(value, inner)
    }
  }
  if (problems.length === 0 && saysSomething(document.contents) && !isMap(document.contents))
    problems.push(`${file}:1: must be settings, such as \`kafka: {port: 9093}\``)
  if (problems.length === 0) walk(document.contents, [])
  return { kind: 'file', values, problems, placeOf: path => `${file}:${places.get(path) ?? 1}` }
}

/** Whether there is more than comments. */
const saysSomething = (node: unknown): boolean => node !== null && !(isScalar(node) && node.value === null)

const readEnvironmentLayer = (environment: ProjectOptions['environment']): Layer => {
  const values = new Map<string, unknown>()
  for (const path of settingPaths) {
    const text = environment[environmentName(path)]
    if (text !== undefined && text !== '') values.set(path, scalar(path, text))
  }
  return {
    kind: 'environment',
    values,
    problems: [],
    placeOf: path => `environment ${environmentName(path)}`,
  }
}

/** Settings of scrapes, in which no service has a part: they hold as they are written, also while a stack runs. */
const ofScrapes = ['web', 'api', 'export', 'topic', 'browser'] as const satisfies readonly (keyof Config)[]

const rememberedLayer = (config: Config | null): Layer => ({
  kind: 'stack',
  values: new Map(
    config === null
      ? []
      : leaves(config).filter(([path]) => !ofScrapes.some(section => within(path, section))),
  ),
  problems: [],
  placeOf: () => 'the running stack',
})

const readFlagLayer = (settings: readonly string[]): Layer => {
  const values = new Map<string, unknown>()
  const problems: string[] = []
  for (const setting of settings) {
    const [, path, text] = /^([\w.]+)=(.*)$/s.exec(setting) ?? []
    if (path === undefined || text === undefined)
      problems.push(`--set ${setting}: must have the form \`kafka.port=9093\``)
    else values.set(path, scalar(path, text))
  }
  return { kind: 'flag', values, problems, placeOf: () => '--set' }
}

/** A value from a place that knows only text: text stays text where the setting is text. */
const scalar = (path: string, text: string): unknown =>
  textSettings.has(path) || (path !== mappingPath && within(path, mappingPath)) ? text : parse(text)

/** The environment variable for a setting: `spark.worker.webPort` → `OFFSTREAM_SPARK_WORKER_WEB_PORT`. */
export const environmentName = (path: string): string =>
  `OFFSTREAM_${path.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`

const nest = (values: ReadonlyMap<string, unknown>): Record<string, unknown> => {
  const root: Record<string, unknown> = {}
  for (const [path, value] of values) {
    const keys = path.split('.')
    const last = keys.pop() ?? path
    let section = root
    for (const key of keys) {
      const inner = section[key]
      const next = isSectionValue(inner) ? inner : {}
      section[key] = next
      section = next
    }
    section[last] = value
  }
  return root
}

const isSectionValue = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const leaves = (value: unknown, path: readonly string[] = []): [string, unknown][] =>
  isSectionValue(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
    : [[path.join('.'), value]]

const defaults = leaves(Config.parse({}))

/** The value of each setting, by its path such as `spark.worker.webPort`. */
export const settingsOf = (config: Config): ReadonlyMap<string, unknown> =>
  new Map(settingPaths.map(path => [path, path.split('.').reduce(inside, config)]))

const inside = (section: unknown, key: string): unknown =>
  isSectionValue(section) ? section[key] : undefined

/** The defaults with these settings (`kafka.port=9093`) instead, unchecked against one another. */
export const configOf = (settings: readonly string[]): Config =>
  Config.parse(nest(readFlagLayer(settings).values))

/** The number that a configuration has at a path such as `spark.worker.webPort`. */
export const numberAt = (config: Config, path: string): number =>
  Number(leaves(config).find(([known]) => known === path)?.[1])

/** Every setting there is, by its path, in the order of the file. */
export const settingPaths: readonly string[] = defaults.map(([path]) => path)
/** The settings that are ports. */
export const portPaths: readonly string[] = settingPaths.filter(path => /port$/i.test(path))
/** The one setting that is a map: `{code: $.gtin}`, or line by line `topic.mapping.code`. */
const mappingPath = 'topic.mapping'
const textSettings = new Set(
  defaults
    .filter(([path, value]) => !['number', 'boolean'].includes(typeof value) && path !== mappingPath)
    .map(([path]) => path),
)
const passwordPath = 'topic.sasl.passwordVariable'
const sections = [
  ...new Set(
    settingPaths.flatMap(path => path.split('.').map((_, depth, keys) => keys.slice(0, depth).join('.'))),
  ),
].filter(section => section !== '')
const isSection = (path: string): boolean => sections.includes(path)

const pathsOf = (issue: z.core.$ZodIssue): string[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map(key => [...issue.path, key].join('.'))
    : [issue.path.join('.')]

const within = (key: string, path: string): boolean => key === path || key.startsWith(`${path}.`)

const unknownSetting = (path: string): string => {
  if (within(path, mappingPath)) return 'there is no such column of the record'
  const last = path.split('.').at(-1)
  const namesakes = settingPaths.filter(known => known.split('.').at(-1) === last)
  const near = namesakes.length > 0 ? namesakes : nearest(path, [...settingPaths, ...sections])
  return `there is no such setting${guess(near)}`
}

const guess = (near: readonly string[]): string =>
  near.length === 0 ? '' : `; did you mean \`${near.join('` or `')}\`?`

/** Variables of ours that are no settings; the mark is on whatever our services start. */
const otherVariables = ['OFFSTREAM_CACHE', 'OFFSTREAM_STACK', 'OFFSTREAM_MARK']

/** A misspelt variable would be as good as none, and nobody would know why the setting does not hold. */
const unknownVariables = (
  environment: ProjectOptions['environment'],
  values: ReadonlyMap<string, unknown>,
): string[] => {
  const known = [...settingPaths.map(environmentName), ...otherVariables]
  const password = values.get(passwordPath) ?? Config.parse({}).topic.sasl.passwordVariable
  return Object.keys(environment)
    .filter(name => name.startsWith('OFFSTREAM_') && !known.includes(name) && name !== password)
    .map(name => `environment ${name}: there is no such setting${guess(nearest(name, known))}`)
}

/** Those of `names` that differ least from `written`, if that is little enough to be a slip. */
const nearest = (written: string, names: readonly string[]): string[] => {
  const distances = names.map(name => leven(written, name))
  const least = Math.min(...distances)
  return least > Math.max(2, written.length / 6) ? [] : names.filter((_, index) => distances[index] === least)
}

/** What a value has to be, in our words; zod's own are for programmers. */
const demandOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${kinds[issue.expected] ?? issue.expected}`
    case 'too_small':
      if (issue.origin === 'string') return 'must not be empty'
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(value => `\`${String(value)}\``).join(', ')}`
    case 'invalid_format':
      return issue.format === 'url'
        ? 'must be an address that begins with `http://` or `https://`'
        : issue.message
    default:
      return issue.message
  }
}

const kinds: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: '`true` or `false`',
  object: 'a section with settings of its own',
  record: 'a section with settings of its own',
}

const portConflicts = (config: Config): string[] => {
  const byPort = new Map<number, string>()
  return portPaths.flatMap(path => {
    const value = numberAt(config, path)
    const other = byPort.get(value)
    byPort.set(value, path)
    return other === undefined ? [] : [`${path}: must differ from ${other} (both are ${value})`]
  })
}

const topicConflicts = ({ topic: { tls, sasl } }: Config): string[] => [
  ...(tls.caFile !== null && !tls.enabled
    ? ['topic.tls.caFile: has no effect without topic.tls.enabled']
    : []),
  ...(sasl.mechanism !== null && sasl.username === null
    ? ['topic.sasl.username: must be set with topic.sasl.mechanism']
    : []),
  ...(sasl.mechanism === null && sasl.username !== null
    ? ['topic.sasl.mechanism: must be set with topic.sasl.username']
    : []),
]

const invalid = (problems: readonly string[]): OffstreamError =>
  new PipelineError(
    'CONFIG_INVALID',
    `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    {
      hint: 'every setting and its default is in the file that `offstream init <folder>` writes',
    },
  )
