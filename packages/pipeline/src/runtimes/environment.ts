import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { isKnownVariable } from '../project/rules.ts'

/** The environment of a process, as Node has it. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What programs get from the user's shell. `PATH` is added without its relative entries. */
const allowed = /^(?:HOME|USER|LOGNAME|TZ)$/

/** What pip and Ivy also get: how a company network reaches the package index and the Maven repository. */
const allowedForDownloads = new RegExp(
  `^(?:${[
    '(?:https?|no|all)_proxy',
    ...['SSL_CERT_(?:FILE|DIR)', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'NETRC', 'XDG_CONFIG_(?:HOME|DIRS)'],
    'PIP_(?:CONFIG_FILE|(?:EXTRA_)?INDEX_URL|NO_INDEX|FIND_LINKS|TRUSTED_HOST|(?:CLIENT_)?CERT|PROXY)',
    'PIP_(?:(?:DEFAULT_)?TIMEOUT|RETRIES|KEYRING_PROVIDER|USE_FEATURE)',
  ].join('|')})$`,
  'i',
)

/** What offstream itself reads, and therefore does not ignore. */
const readByOffstream = /^(?:JAVA_HOME|SPARK_HOME|KAFKA_HOME)$/

/** What Java, Python, pip, Spark, Hadoop, Kafka, the shell or the linker would read if programs inherited it. */
const meantForPrograms = new RegExp(
  `^(?:${[
    ...['JAVA_\\w+', '_JAVA_OPTIONS', 'JDK_\\w+', 'CLASSPATH', 'PYTHON\\w+', 'VIRTUAL_ENV', 'PIP_\\w+'],
    ...[
      '(?:PY)?SPARK_\\w+',
      '(?:HADOOP|HDFS|YARN|HIVE|KAFKA|ZOO|ZK)_\\w+',
      'LD_\\w+',
      'DYLD_\\w+',
      'BASH_ENV',
    ],
    ...['CDPATH', 'NODE_OPTIONS'],
  ].join('|')})$`,
)

/**
 * The environment of every program that offstream starts, built from nothing: a variable of the user's shell that is
 * not allowed here can neither change what runs nor be read by SQL (Spark has functions that return it).
 */
export const programEnvironment = (environment: Environment): Record<string, string> => ({
  ...selected(environment, name => allowed.test(name)),
  PATH: [...new Set([...pathFolders(environment), '/usr/bin', '/bin'])].join(delimiter),
  // Java encodes file names as the locale says. Without a locale it knows only ASCII.
  LC_ALL: 'C.UTF-8',
})

/**
 * The environment of offstream's own daemon, which also reads its settings. It contains neither `NODE_OPTIONS` nor a
 * password, whatever the name of that variable is.
 */
export const daemonEnvironment = (environment: Environment): Record<string, string> => ({
  ...selected(environment, name => isKnownVariable(name) || /^(?:TMPDIR|XDG_\w+)$/.test(name)),
  ...programEnvironment(environment),
})

/** The environment of programs that download: pip and Ivy. */
export const downloadEnvironment = (environment: Environment): Record<string, string> => ({
  ...selected(environment, name => allowedForDownloads.test(name)),
  ...programEnvironment(environment),
  // A configuration file of pip may say otherwise, and then pip refuses to install into a virtual environment.
  PIP_USER: '0',
  PIP_REQUIRE_VIRTUALENV: '0',
})

/** The environment of a Java service. `temporary` is the folder for its temporary files. */
export const javaEnvironment = (
  temporary: string,
  environment: Environment = process.env,
): Record<string, string> => ({ ...programEnvironment(environment), TMPDIR: temporary })

/** What a Spark service is started with. */
export interface SparkInputs {
  readonly runtimes: {
    readonly java: string
    readonly python: string
    readonly sparkHome: string
    readonly connectors: string
  }
  /** The address that it binds to. */
  readonly host: string
  /** The folder for its temporary files. */
  readonly temporary: string
}

/** The environment of a Spark service. */
export const sparkEnvironment = (
  { runtimes, host, temporary }: SparkInputs,
  environment: Environment = process.env,
): Record<string, string> => ({
  ...javaEnvironment(temporary, environment),
  ...(isAbsolute(runtimes.java) ? { JAVA_HOME: dirname(dirname(runtimes.java)) } : {}),
  SPARK_HOME: runtimes.sparkHome,
  SPARK_CONF_DIR: noConfiguration(runtimes),
  // Without it Spark takes the first address of the machine that is not loopback.
  SPARK_LOCAL_IP: host,
  SPARK_LOCAL_DIRS: temporary,
  PYSPARK_PYTHON: runtimes.python,
  PYSPARK_DRIVER_PYTHON: runtimes.python,
  PYTHONDONTWRITEBYTECODE: '1',
  PYTHONUNBUFFERED: '1',
})

/**
 * A folder that does not exist, so that Spark finds no `spark-defaults.conf`, `spark-env.sh` or `core-site.xml` in it.
 * It is on the class path, and a start-up archive fits only the class path it was made with: it is therefore the same
 * for all stacks.
 */
const noConfiguration = ({ connectors }: SparkInputs['runtimes']): string => join(connectors, 'no-conf')

/** The folders of the user's `PATH`. A relative one would mean another folder in each working directory. */
export const pathFolders = ({ PATH = '' }: Environment): string[] => PATH.split(delimiter).filter(isAbsolute)

/**
 * Java's options for the network: Java reads no `https_proxy`, so they are derived from it. Of the options that the
 * user gives to every Java, those about proxies and trusted certificates count too. They may contain a password.
 */
export const javaNetworkOptions = (environment: Environment): string[] => [
  ...proxyOptions('http', variable(environment, 'http_proxy') ?? variable(environment, 'all_proxy')),
  ...proxyOptions('https', variable(environment, 'https_proxy') ?? variable(environment, 'all_proxy')),
  ...exceptions(variable(environment, 'no_proxy')),
  ...['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS']
    .flatMap(name => environment[name]?.match(/(?:[^\s"']|"[^"]*"|'[^']*')+/g) ?? [])
    .map(option => option.replace(/["']/g, ''))
    .filter(option => networkProperty.test(option)),
]

const networkProperty =
  /^-D(?:https?\.proxy(?:Host|Port|User|Password)|http\.nonProxyHosts|socksProxy\w+|java\.net\.\w+|javax\.net\.ssl\.trustStore\w*|jdk\.http\.auth\.[\w.]+)=/

const proxyOptions = (scheme: 'http' | 'https', address: string | undefined): string[] => {
  if (address === undefined) return []
  const text = address.includes('://') ? address : `http://${address}`
  if (!URL.canParse(text)) return []
  const { hostname, port, username, password } = new URL(text)
  return [
    `-D${scheme}.proxyHost=${hostname}`,
    `-D${scheme}.proxyPort=${port || '80'}`,
    ...(username === ''
      ? []
      : [
          // Ivy reads these two for both schemes.
          `-Dhttp.proxyUser=${decodeURIComponent(username)}`,
          `-Dhttp.proxyPassword=${decodeURIComponent(password)}`,
          // By default Java sends no password to a proxy for HTTPS.
          '-Djdk.http.auth.tunneling.disabledSchemes=',
        ]),
  ]
}

/** `.example.org` of `no_proxy` is `*.example.org` to Java. */
const exceptions = (noProxy: string | undefined): string[] => {
  const hosts = (noProxy ?? '').split(/[\s,]+/).filter(host => host !== '')
  return hosts.length === 0
    ? []
    : [`-Dhttp.nonProxyHosts=${hosts.map(host => host.replace(/^\./, '*.')).join('|')}`]
}

/** A variable that is written in either case, the lower one first. */
const variable = (environment: Environment, name: string): string | undefined =>
  environment[name] || environment[name.toUpperCase()] || undefined

/** What the user set for such programs and offstream ignores, by name. */
export const ignoredVariables = (environment: Environment): [name: string, value: string][] =>
  Object.entries(environment)
    .flatMap(([name, value = '']): [string, string][] =>
      isIgnored(name, environment) ? [[name, value]] : [],
    )
    .sort()

const isIgnored = (name: string, environment: Environment): boolean => {
  // It is the Python of the user's own Spark.
  if (name === 'PYSPARK_PYTHON' && environment['SPARK_HOME']) return false
  return meantForPrograms.test(name) && !allowedForDownloads.test(name) && !readByOffstream.test(name)
}

const selected = (environment: Environment, isSelected: (name: string) => boolean): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      value !== undefined && isSelected(name) ? [[name, value]] : [],
    ),
  )
