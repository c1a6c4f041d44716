import { randomUUID } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assetPath } from '../project/assets.ts'
import { directoriesOf } from '../project/directories.ts'
import { javaEnvironment } from '../runtimes/environment.ts'
import { fastStart } from './java.ts'
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
  if (usesTokens(stack)) await writeTokenJar(stack)
}

/** The jars that programs with such clients need, for `spark.jars`: Spark copies them to the executors. */
export const tokenJars = (stack: Stack): readonly string[] =>
  usesTokens(stack) ? [pathToFileURL(directoriesOf(stack.state).kafkaToken).href] : []

/** It takes a second. */
const timeoutMs = 60_000

/** With the compiler that Spark includes, because a JRE has none. */
const writeTokenJar = async ({ runtimes, project, state }: Stack): Promise<void> => {
  const { kafkaToken, temporary } = directoriesOf(state)
  const { execa } = await import('execa')
  const [program, source] = ['ClassJar', 'TokenCommand'].map(name =>
    assetPath(project, 'spark-jobs', join('token', `${name}.java`)),
  )
  const classPath = [join(runtimes.sparkHome, 'jars', '*'), join(runtimes.connectors, '*')].join(delimiter)
  // Running programs may read the jar now, and services that start at the same moment write it too.
  const written = `${kafkaToken}.${randomUUID()}`
  try {
    await execa(
      runtimes.java,
      [
        ...[...fastStart, '-cp', classPath, 'org.codehaus.janino.SimpleCompiler'],
        ...[program ?? '', 'offstream.ClassJar', source ?? '', written],
      ],
      { env: javaEnvironment(temporary), extendEnv: false, cwd: state, stdin: 'ignore', timeout: timeoutMs },
    )
    await rename(written, kafkaToken)
  } finally {
    await rm(written, { force: true })
  }
}
