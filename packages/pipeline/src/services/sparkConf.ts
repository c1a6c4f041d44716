import { join } from 'node:path'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'
import { localPath } from './hadoopConf.ts'
import { archiveFlags, fullCompiler, temporaryFlag } from './java.ts'
import { tokenJars } from './kafkaClients.ts'
import { storeFlags } from './lakeStore.ts'
import { clusterConf, driverHostOf, isSparkExternal, jarsIn, pythonConf } from './sparkCluster.ts'
import { classPathOf, optionString } from './sparkCommand.ts'
import type { Archives, Stack } from './stack.ts'

/** Properties of every driver. */
export const driverConf = (config: Config, { temporary }: Directories): Record<string, string> => ({
  'spark.driver.host': config.host,
  'spark.driver.bindAddress': config.host,
  // The default of 200 shuffle tasks costs seconds a batch, and the batches are small.
  'spark.sql.shuffle.partitions': '2',
  'spark.sql.adaptive.enabled': 'false',
  'spark.sql.session.timeZone': 'UTC',
  // Of the session catalog, which lasts as long as the session. If the path has a space, Spark also creates the default
  // folder under a name with `%20`.
  'spark.sql.warehouse.dir': localPath(config, join(temporary, 'spark-warehouse')),
  'spark.log.structuredLogging.enabled': 'false',
})

/** Properties of a program whose tasks run on the cluster: what executors need of this machine, or copies of it elsewhere. */
export const executorConf = (stack: Stack): Record<string, string> => {
  const { config, state, runtimes, archives } = stack
  const connectors = isSparkExternal(config) ? [runtimes.connectors, ...runtimes.additionalJars] : []
  const jars = [...connectors.map(jarsIn), ...tokenJars(stack)]
  return {
    // The default uses another interface of Hadoop, which does not know the file system of `lakeConf`.
    'spark.sql.streaming.checkpointFileManagerClass':
      'org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager',
    ...pythonConf(config, runtimes.python),
    ...(isSparkExternal(config)
      ? {
          'spark.driver.host': driverHostOf(config),
          'spark.driver.bindAddress': driverHostOf(config),
          'spark.executor.extraJavaOptions': optionString(fullCompiler),
          ...clusterConf(config, state),
        }
      : {
          'spark.executor.extraClassPath': classPathOf(runtimes),
          'spark.executor.extraJavaOptions': optionString(
            executorFlags(config, archives, directoriesOf(state)),
          ),
        }),
    ...(jars.length === 0 ? {} : { 'spark.jars': jars.join(',') }),
  }
}

// An executor has the class path of the driver and can use its archive. It does not write one: the worker kills it first.
const executorFlags = (config: Config, archives: Archives | null, directories: Directories): string[] => [
  ...fullCompiler,
  temporaryFlag(directories),
  ...storeFlags(config, directories.lakeKeys),
  ...(archives?.made.includes('products-stream') ? archiveFlags(archives, 'products-stream') : []),
]
