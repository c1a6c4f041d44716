import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'
import { topicName } from '../topic/message.ts'
import { localPath } from './hadoopConf.ts'
import { brokersOf, isKafkaExternal } from './kafkaCluster.ts'
import { lakeConf } from './lakeCatalog.ts'
import { checkpointConf } from './lakeStore.ts'
import { prepareProgram } from './programs.ts'
import {
  masterOf,
  ownConfOptions,
  ownWorkers,
  streamSizeConf,
  workerName,
  writeOwnConf,
} from './sparkCluster.ts'
import { conf, sparkSubmit } from './sparkCommand.ts'
import { driverConf, executorConf } from './sparkConf.ts'
import type { ServiceParts, Stack } from './stack.ts'
import { failureOf, readStreamProgress, requireProgress } from './streamProgress.ts'

/** The job from the topic to the table; it is ready when its first batch has finished. */
export const productsStream = (stack: Stack): ServiceParts => {
  const { project, config } = stack
  const directories = directoriesOf(stack.state)
  const stopFile = join(directories.run, 'products-stream.stop')
  return {
    command: sparkSubmit(stack, 'products-stream', [
      ...['--name', 'products-stream', '--master', masterOf(config)],
      ...['--driver-memory', config.stream.driverMemory],
      ...ownConfOptions(config, stack.state),
      ...conf({
        ...lakeConf(config, directories),
        ...driverConf(config, directories),
        'spark.ui.port': String(config.stream.webPort),
        ...executorConf(stack),
        ...checkpointConf(config, directories.temporary),
        ...streamSizeConf(config),
      }),
      assetPath(project, 'spark-jobs', 'stream.py'),
      ...['--brokers', brokersOf(config).join(','), '--topic', topicName],
      ...(isKafkaExternal(config) ? ['--kafka-client', directories.kafkaClient] : []),
      ...checkpointOptions(config, directories),
      ...['--progress', directories.streamProgress],
      ...['--stop-file', stopFile, '--optimize-file', directories.optimizeRequest],
      ...['--trigger-ms', String(config.stream.triggerMs)],
      ...['--max-offsets-per-trigger', String(config.stream.maxOffsetsPerTrigger)],
      ...['--max-indexed-rows', String(config.stream.maxIndexedRows)],
    ]),
    needs: ['kafka', 'kafka-2', 'kafka-3', 'spark-master', ...ownWorkers(config).map(workerName)],
    restartsWith: ['spark-master'],
    // It first connects to Kafka after some seconds, and then retries for a minute. A worker may also come later
    // than the driver, but if a master does not respond, the driver tries again only after 20 s.
    needsOnlyAtStart: ['kafka', 'kafka-2', 'kafka-3', ...ownWorkers(config).map(workerName)],
    port: null,
    prepare: async () => {
      const { streamProgress, streamBatches, optimizeRequest } = directories
      for (const file of [stopFile, streamProgress, streamBatches, optimizeRequest])
        await rm(file, { force: true })
      await prepareProgram(stack)
      await writeOwnConf(config, stack.state)
    },
    ready: async () => requireProgress(await readStreamProgress(directories.streamProgress)),
    permanentFailure: async () => {
      const failure = failureOf(await readStreamProgress(directories.streamProgress))
      // The other stream may be a previous run of this one, which is about to exit.
      if (failure === null || failure.code === 'TABLE_IN_USE') return null
      return { cause: failure.message, hint: failure.hint }
    },
    startTimeoutMs: 300_000,
    requestStop: () => writeFile(stopFile, ''),
    stopTimeoutMs: 30_000,
  }
}

/** With a checkpoint elsewhere, the folder here is for a new one: commands that rewind the job write it there. */
const checkpointOptions = (config: Config, { checkpoint }: Directories): readonly string[] =>
  config.stream.checkpoint === null
    ? ['--checkpoint', localPath(config, checkpoint)]
    : ['--checkpoint', config.stream.checkpoint, '--new-checkpoint', checkpoint]
