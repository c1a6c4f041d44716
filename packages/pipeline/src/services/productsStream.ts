import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceCommand } from '@offstream/runtime'
import { assetPath } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'
import { topicName } from '../topic/message.ts'
import { localPath } from './hadoopConf.ts'
import { brokersOf, isKafkaExternal } from './kafkaCluster.ts'
import { lakeConf } from './lakeCatalog.ts'
import { checkpointConf } from './lakeStore.ts'
import { prepareProgram } from './programs.ts'
import { relayCommand, type StreamFiles } from './relay.ts'
import {
  isDriverInCluster,
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
  const { config } = stack
  const directories = directoriesOf(stack.state)
  const files: StreamFiles = {
    progress: directories.streamProgress,
    stop: join(directories.run, 'products-stream.stop'),
    optimize: directories.optimizeRequest,
    kafkaClient: directories.kafkaClient,
  }
  return {
    command: isDriverInCluster(config) ? commandInCluster(stack, files) : commandHere(stack, files),
    needs: ['kafka', 'kafka-2', 'kafka-3', 'spark-master', ...ownWorkers(config).map(workerName)],
    restartsWith: ['spark-master'],
    // It first connects to Kafka after some seconds, and then retries for a minute. A worker may also come later
    // than the driver, but if a master does not respond, the driver tries again only after 20 s.
    needsOnlyAtStart: ['kafka', 'kafka-2', 'kafka-3', ...ownWorkers(config).map(workerName)],
    port: null,
    prepare: async () => {
      for (const file of [files.stop, files.progress, directories.streamBatches, files.optimize])
        await rm(file, { force: true })
      await prepareProgram(stack)
      await writeOwnConf(config, stack.state)
    },
    ready: async () => requireProgress(await readStreamProgress(files.progress)),
    permanentFailure: async () => {
      const failure = failureOf(await readStreamProgress(files.progress))
      // The other stream may be a previous run of this one, which is about to exit.
      if (failure === null || failure.code === 'TABLE_IN_USE') return null
      return { cause: failure.message, hint: failure.hint }
    },
    startTimeoutMs: 300_000,
    requestStop: () => writeFile(files.stop, ''),
    // The application would continue in YARN without the program here.
    worksElsewhere: isDriverInCluster(config),
    // In a cluster, `relay.py` kills the application after 25 s. The kill takes some seconds.
    stopTimeoutMs: isDriverInCluster(config) ? 60_000 : 30_000,
  }
}

const commandHere = (stack: Stack, files: StreamFiles): ServiceCommand => {
  const { project, config, state } = stack
  const directories = directoriesOf(state)
  return sparkSubmit(stack, 'products-stream', [
    ...['--name', 'products-stream', '--master', masterOf(config)],
    ...['--driver-memory', config.stream.driverMemory],
    ...ownConfOptions(config, state),
    ...conf({
      ...lakeConf(config, directories),
      ...driverConf(config, directories),
      'spark.ui.port': String(config.stream.webPort),
      ...executorConf(stack),
      ...checkpointConf(config, directories.temporary),
      ...streamSizeConf(config),
    }),
    assetPath(project, 'spark-jobs', 'stream.py'),
    ...programArguments(config, files, checkpointOptions(config, directories)),
  ])
}

const commandInCluster = (stack: Stack, files: StreamFiles): ServiceCommand => {
  const { config } = stack
  // relay.py moves a new checkpoint to HDFS: the driver cannot read the folder of this machine.
  const checkpoint = ['--checkpoint', config.stream.checkpoint ?? '']
  return relayCommand(stack, files, inContainer => programArguments(config, inContainer, checkpoint))
}

/** The arguments of stream.py. */
const programArguments = (
  config: Config,
  files: StreamFiles,
  checkpoint: readonly string[],
): readonly string[] => [
  ...['--brokers', brokersOf(config).join(','), '--topic', topicName],
  ...(isKafkaExternal(config) ? ['--kafka-client', files.kafkaClient] : []),
  ...checkpoint,
  ...['--progress', files.progress],
  ...['--stop-file', files.stop, '--optimize-file', files.optimize],
  ...['--trigger-ms', String(config.stream.triggerMs)],
  ...['--max-offsets-per-trigger', String(config.stream.maxOffsetsPerTrigger)],
  ...['--max-indexed-rows', String(config.stream.maxIndexedRows)],
]

/** With a checkpoint elsewhere, the folder here is for a new one: commands that rewind the job write it there. */
const checkpointOptions = (config: Config, { checkpoint }: Directories): readonly string[] =>
  config.stream.checkpoint === null
    ? ['--checkpoint', localPath(config, checkpoint)]
    : ['--checkpoint', config.stream.checkpoint, '--new-checkpoint', checkpoint]
