import { pathToFileURL } from 'node:url'
import { directoriesOf } from '../project/directories.ts'
import { writeClassJar } from './classJar.ts'
import { writeClientProperties } from './kafkaCluster.ts'
import type { Stack } from './stack.ts'

const usesTokens = ({ config }: Stack): boolean => config.kafka.sasl.mechanism === 'oauthbearer'

/**
 * Writes what Kafka's clients in Spark read from files: the settings for TLS and SASL, and the class that runs the command
 * of `kafka.sasl.tokenCommand`.
 * @throws OffstreamError SECRET_MISSING, FILE_MISSING
 */
export const prepareKafkaClients = async (stack: Stack): Promise<void> => {
  await writeClientProperties(stack.config, stack.state)
  if (usesTokens(stack)) await writeClassJar(stack, 'TokenCommand', directoriesOf(stack.state).kafkaToken)
}

/** The jars that programs with such clients need, for `spark.jars`: Spark copies them to the executors. */
export const tokenJars = (stack: Stack): readonly string[] =>
  usesTokens(stack) ? [pathToFileURL(directoriesOf(stack.state).kafkaToken).href] : []
