import type { DefineCommand } from '../commands.ts'
import { fetchRuntimes } from '../context.ts'

const define: DefineCommand = (command, context) => {
  command
    .command('install')
    .description('fetch Spark, Kafka and the connectors now, so that `offstream up` needs no network')
    .addHelpText(
      'after',
      `
Fetched once into your cache folder (OFFSTREAM_CACHE), for all projects; every file is compared with the digest that
is locked in offstream. SPARK_HOME and KAFKA_HOME, where they are set, are used instead.

Example:
  offstream runtime install`,
    )
    .action(async () => {
      const { output, project, signal } = context()
      const { directory } = await project()
      const { runtimes, archives } = await fetchRuntimes(output, directory, signal)
      const { sparkHome, kafkaLibs, connectors, python, java } = runtimes
      output.result({ kind: 'runtime', sparkHome, kafkaLibs, connectors, python, java, archives }, () =>
        [`Spark       ${sparkHome}`, `Kafka       ${kafkaLibs}`, `connectors  ${connectors}`].join('\n'),
      )
    })
}

export default define
