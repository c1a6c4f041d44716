import leven from 'leven'
import type { z } from 'zod'
import { programVariables } from '../names.ts'
import { clusterSections, securityConflicts, tlsConflicts } from './clusterSettings.ts'
import { Config } from './config.ts'
import { kubernetesConflicts } from './kubernetesSettings.ts'
import { lakeConflicts } from './lakeSettings.ts'
import type { Environment, Layer } from './layers.ts'
import {
  environmentName,
  mappingPath,
  nest,
  numberAt,
  portPaths,
  sections,
  settingPaths,
  settingsOf,
  within,
} from './paths.ts'
import { deployConflicts, sparkConflicts } from './sparkSettings.ts'

/** Problems of a configuration that has valid values, but values that contradict each other. */
export const crossFieldProblems = (config: Config): string[] => [
  ...portConflicts(config),
  ...clusterSections.flatMap(section => securityConflicts(section, config[section])),
  ...kafkaConflicts(config),
  ...tlsConflicts('thrift', config.thrift.tls),
  ...thriftConflicts(config),
  ...sparkConflicts(config),
  ...deployConflicts(config),
  ...kubernetesConflicts(config),
  ...lakeConflicts(config.lake, config.stream.checkpoint),
]

const portConflicts = (config: Config): string[] => {
  const byPort = new Map<number, string>()
  const unused = unusedPorts(config)
  return portPaths.flatMap(path => {
    if (unused.includes(path)) return []
    const value = numberAt(config, path)
    const other = byPort.get(value)
    byPort.set(value, path)
    return other === undefined ? [] : [`${path}: must differ from ${other} (both are ${value})`]
  })
}

/** The settings of the ports that no service listens on with this configuration. */
export const unusedPorts = ({ kafka, spark, stream, thrift }: Config): readonly string[] => {
  const { brokers, mode, brokerCount } = kafka
  const isSparkHere = spark.master === null
  const isHere = brokers.trim() === ''
  const isUsed: Readonly<Record<string, boolean>> = {
    'zookeeper.port': isHere && mode === 'zookeeper',
    'kafka.port': isHere,
    'kafka.controllerPort': isHere && mode === 'kraft',
    'kafka.secondPort': isHere && brokerCount === 3,
    'kafka.thirdPort': isHere && brokerCount === 3,
    'spark.port': isSparkHere,
    'spark.webPort': isSparkHere,
    'spark.worker.webPort': isSparkHere,
    'spark.worker.secondWebPort': isSparkHere && spark.workers > 1,
    'spark.worker.thirdWebPort': isSparkHere && spark.workers > 2,
    'stream.webPort': stream.deployMode === 'client',
    'thrift.port': thrift.host === null,
  }
  return Object.keys(isUsed).filter(path => !isUsed[path])
}

const kafkaConflicts = ({ kafka: { brokers, brokerCount, tls, sasl, topic } }: Config): string[] =>
  brokers.trim() !== ''
    ? []
    : [
        ...(tls.enabled ? ['kafka.tls.enabled: has no effect without kafka.brokers'] : []),
        ...(sasl.mechanism === null ? [] : ['kafka.sasl.mechanism: has no effect without kafka.brokers']),
        ...((topic.replication ?? 1) > brokerCount
          ? [`kafka.topic.replication: must be at most kafka.brokerCount (${brokerCount})`]
          : []),
      ]

/** Addresses that only programs of this machine can connect to. */
const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3})$/.test(host)

/** The Thrift server that is started here must be protected if the network can connect to it. */
const thriftConflicts = ({ host, thrift }: Config): string[] => {
  const { tls, auth } = thrift
  if (thrift.host !== null)
    return tls.certFile === null ? [] : ['thrift.tls.certFile: has no effect with thrift.host']
  const why = `because the network can connect to the Thrift server at ${host}; thrift.insecure: true permits it without`
  const isOpen = !isLoopback(host) && !thrift.insecure
  return [
    ...(tls.enabled && tls.certFile === null && tls.keyFile === null
      ? ['thrift.tls.certFile: must be set if thrift.tls.enabled is set, for the Thrift server here']
      : []),
    ...(isOpen && !tls.enabled ? [`thrift.tls.enabled: must be true, ${why}`] : []),
    ...(isOpen && auth.username === null ? [`thrift.auth.username: must be set, ${why}`] : []),
  ]
}

/** The problems in the values of a profile that is not in use. Those that depend on other settings are not known. */
export const profileProblems = (profile: Layer): string[] => {
  const { error } = Config.safeParse(nest(profile.values))
  return error === undefined ? [] : valueProblems(error, [profile])
}

/** The problems that zod found, each with the place of the setting. */
export const valueProblems = (error: z.ZodError, layers: readonly Layer[]): string[] =>
  error.issues.flatMap(issue =>
    pathsOf(issue).map(path => {
      const layer = layers.findLast(({ values }) => [...values.keys()].some(key => within(key, path)))
      const what = issue.code === 'unrecognized_keys' ? unknownSetting(path) : requirementOf(issue)
      const place = layer === undefined ? [] : [layer.placeOf(path)]
      return [...place, `${layer?.prefix ?? ''}${path}`, what].join(': ')
    }),
  )

const pathsOf = (issue: z.core.$ZodIssue): string[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map(key => [...issue.path, key].join('.'))
    : [issue.path.join('.')]

const unknownSetting = (path: string): string => {
  if (within(path, mappingPath)) return 'the record does not have this column'
  const last = path.split('.').at(-1)
  const sameName = settingPaths.filter(known => known.split('.').at(-1) === last)
  const similar = sameName.length > 0 ? sameName : mostSimilar(path, [...settingPaths, ...sections])
  return `unknown setting${suggestion(similar)}`
}

const suggestion = (similar: readonly string[]): string =>
  similar.length === 0 ? '' : `; did you mean \`${similar.join('` or `')}\`?`

/** Environment variables of offstream that are not settings; the services have `OFFSTREAM_MARK`. */
const otherVariables = [
  ...['OFFSTREAM_CACHE', 'OFFSTREAM_STACK', 'OFFSTREAM_PROFILE', 'OFFSTREAM_MARK'],
  ...['OFFSTREAM_CHECKPOINT', 'OFFSTREAM_PROGRESS'],
  ...programVariables,
]

const knownVariables: readonly string[] = [...settingPaths.map(environmentName), ...otherVariables]

/** Whether offstream reads this environment variable. Those with passwords are not among them: settings name them. */
export const isKnownVariable = (name: string): boolean => knownVariables.includes(name)

/**
 * A misspelt variable is an error: ignoring it would leave the user with a setting that has no effect.
 * @param values the settings in use
 * @param inFile the settings of the file, whose profiles may name other variables for passwords
 */
export const unknownVariables = (
  environment: Environment,
  values: ReadonlyMap<string, unknown>,
  inFile: readonly Layer[] = [],
): string[] => {
  const defaults = settingsOf(Config.parse({}))
  const passwords = settingPaths
    .filter(path => path.endsWith('.passwordVariable'))
    .flatMap(path => [values.get(path) ?? defaults.get(path), ...inFile.map(layer => layer.values.get(path))])
  return Object.keys(environment)
    .filter(name => name.startsWith('OFFSTREAM_') && !isKnownVariable(name) && !passwords.includes(name))
    .map(name => `environment ${name}: unknown setting${suggestion(mostSimilar(name, knownVariables))}`)
}

/** The `names` with the fewest edits to `written`, if so few that `written` is probably a typing error. */
const mostSimilar = (written: string, names: readonly string[]): string[] => {
  const distances = names.map(name => leven(written, name))
  const min = Math.min(...distances)
  return min > Math.max(2, written.length / 6) ? [] : names.filter((_, index) => distances[index] === min)
}

/** What the value must be; zod's own messages are for programmers. */
const requirementOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${typeNames[issue.expected] ?? issue.expected}`
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

const typeNames: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'text',
  boolean: '`true` or `false`',
  array: 'a list such as `[program, argument]`',
  object: 'a section with its own settings',
  record: 'a section with its own settings',
}
