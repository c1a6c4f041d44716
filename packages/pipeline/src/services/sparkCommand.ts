import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ServiceCommand } from '@offstream/runtime'
import type { ServiceName } from '../names.ts'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { sparkEnvironment } from '../runtimes/environment.ts'
import { hadoopConfDir } from './hadoopConf.ts'
import { archiveFlags, fastStart, temporaryFlag } from './java.ts'
import { isKubernetes, kubernetesVariables } from './kubernetes.ts'
import { lakeFlags } from './lakeCatalog.ts'
import { loginJars } from './restCatalog.ts'
import type { Stack } from './stack.ts'

/**
 * The command of a Spark daemon, whose class is `mainClass`; `name` is that of the service, `flags` are for Java.
 * `sbin/start-master.sh` (which PyPI's Spark lacks) daemonizes itself and we would lose the process; `spark-class` execs the
 * JVM that we spawn.
 */
export const sparkDaemon = (
  stack: Stack,
  name: ServiceName,
  mainClass: string,
  args: readonly string[],
  flags: readonly string[],
): ServiceCommand => ({
  file: join(stack.runtimes.sparkHome, 'bin', 'spark-class'),
  args: [mainClass, ...args],
  env: {
    ...environmentOf(stack),
    SPARK_DAEMON_MEMORY: '512m',
    SPARK_DAEMON_JAVA_OPTS: optionString([
      ...fastStart,
      ...archiveFlags(stack.archives, name),
      temporaryFlag(directoriesOf(stack.state)),
      logging(stack.project),
      ...flags,
    ]),
  },
  cwd: stack.state,
})

/** The command of a Python program that Spark runs; `args` are the options of spark-submit, the program and its own. */
export const sparkSubmit = (
  stack: Stack,
  name: ServiceName,
  args: readonly string[],
  {
    classFolders = [],
    additionalJars = loginJars(stack),
    catalogFlags = lakeFlags(stack.config, directoriesOf(stack.state)),
  }: {
    /** Folders of classes for the class path, which must exist when Java starts. */
    readonly classFolders?: readonly string[]
    /** The jars after those of the connectors, if the program opens other catalogs than that of the stack. */
    readonly additionalJars?: readonly string[]
    /** The options of Java for the catalogs, if the program opens others than that of the stack. */
    readonly catalogFlags?: readonly string[]
  } = {},
): ServiceCommand => {
  const directories = directoriesOf(stack.state)
  return {
    file: join(stack.runtimes.sparkHome, 'bin', 'spark-submit'),
    args: [
      '--driver-java-options',
      optionString([
        ...fastStart,
        // An archive cannot cover a class path with folders.
        ...archiveFlags(classFolders.length === 0 ? stack.archives : null, name),
        temporaryFlag(directories),
        // Hive opens a Derby database that nothing uses; by default its log would be in the state folder.
        `-Dderby.stream.error.file=${join(directories.temporary, 'derby.log')}`,
        logging(stack.project),
        ...catalogFlags,
      ]),
      // The verified jars themselves, not `--packages`: Ivy's resolution takes seconds at each start, Spark then copies
      // every jar for each executor, and a class-data archive covers only the class path.
      ...[
        '--driver-class-path',
        [classPathOf(stack.runtimes), ...additionalJars, ...classFolders].join(delimiter),
      ],
      ...args,
    ],
    env: environmentOf(stack),
    cwd: stack.state,
  }
}

/** The jars of a driver. Others follow those of the start-up archive, which covers the first ones. */
export const driverClassPath = (stack: Stack): string =>
  [classPathOf(stack.runtimes), ...loginJars(stack)].join(delimiter)

/** The jars of the programs that Spark runs. Their order is that of the start-up archives. */
export const classPathOf = ({ connectors, additionalJars }: Stack['runtimes']): string =>
  [connectors, ...additionalJars].map(folder => join(folder, '*')).join(delimiter)

/** The file with the settings of what Spark logs. */
export const logSettings = (project: string): string =>
  assetPath(project, 'config', 'spark.log4j2.properties')

/** The option of Java with this file. */
export const logging = (project: string): string =>
  `-Dlog4j2.configurationFile=${pathToFileURL(logSettings(project))}`

/** Flags in one string. Spark splits it as a shell would: double quotes, in which a backslash escapes. */
export const optionString = (flags: readonly string[]): string =>
  flags.map(flag => (/^[\w+,./:=@-]*$/.test(flag) ? flag : `"${flag.replace(/["\\]/g, '\\$&')}"`)).join(' ')

/** The environment of a program of Spark. */
export const environmentOf = ({ runtimes, config, state }: Stack): Record<string, string> => {
  const temporary = directoriesOf(state).temporary
  const { SPARK_LOCAL_DIRS: folder = temporary, ...environment } = sparkEnvironment({
    ...{ runtimes, host: config.host, temporary },
  })
  return {
    ...environment,
    // Pods would get this folder of this machine. Without it, Spark uses the temporary folder of Java here.
    ...(isKubernetes(config) ? {} : { SPARK_LOCAL_DIRS: folder }),
    ...clusterVariables(config, state),
  }
}

/** The variables of a program that uses an existing cluster of Hadoop or Kubernetes. */
export const clusterVariables = (config: Config, state: string): Record<string, string> => {
  const hadoop = hadoopConfDir(config, state)
  return { ...(hadoop === null ? {} : { HADOOP_CONF_DIR: hadoop }), ...kubernetesVariables(config) }
}

/** Spark properties as options of spark-submit. On YARN only the option `--jars` accepts a pattern such as `*.jar`. */
export const conf = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([key, value]) =>
    key === 'spark.jars' ? ['--jars', value] : ['--conf', `${key}=${value}`],
  )
