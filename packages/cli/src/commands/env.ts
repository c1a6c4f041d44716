import { Option } from '@commander-js/extra-typings'
import type { DefineCommand } from '../command.ts'

const shells = ['sh', 'fish'] as const

const define: DefineCommand = (command, context) =>
  command
    .addOption(
      new Option('--shell <shell>', '`sh` also for bash and zsh').choices(shells).default('sh' as const),
    )
    .addHelpText(
      'after',
      `
Prints the variables that notebooks and other programs need for this stack:

  OFFSTREAM_BROKERS     address of Kafka
  OFFSTREAM_KAFKA_OPTIONS
                        options of Spark's Kafka source and sink, as JSON,
                        also those of TLS and SASL for an existing cluster
  OFFSTREAM_TOPIC       topic of the products
  OFFSTREAM_MASTER      address of the Spark master
  OFFSTREAM_THRIFT_URL  JDBC address of the Thrift server
  OFFSTREAM_TABLE       Iceberg table of the products, for Spark
  OFFSTREAM_WAREHOUSE   folder or address of the Iceberg tables
  OFFSTREAM_CATALOG     SQLite file of their catalog, or address of its server
  SPARK_HOME, PYSPARK_PYTHON, JAVA_HOME
                        the Spark of this stack, its Python and its Java
  PYSPARK_SUBMIT_ARGS   with it, \`SparkSession.builder.getOrCreate()\` in any
                        Python program has a session on the cluster, with the
                        catalog \`lake\` and the Kafka source

The session uses 1 core and 512 MB of the worker until it is stopped. \`--json\`
also has the Spark properties one by one, in \`sparkConf\`. If the stack is not
running, the addresses are those of the settings.

Exit status: 0 ok, 5 invalid config, 6 a prerequisite is missing.

Examples:
  eval "$(offstream env)"
  offstream env --shell fish | source
  offstream env --json

Next: \`"$PYSPARK_PYTHON" program.py\` in the same shell runs a program.`,
    )
    .action(async ({ shell }) => {
      const { output, pipeline, settings } = context()
      const stack = await settings()
      const exports = pipeline.exportsOf(stack)
      const line = (name: string, value: string): string =>
        shell === 'fish' ? `set -gx ${name} ${fishQuoted(value)}` : `export ${name}=${pipeline.quoted(value)}`
      output.result({ kind: 'env', ...exports }, () =>
        Object.entries(exports.variables)
          .map(([name, value]) => line(name, value))
          .join('\n'),
      )
      const isRunning = (await pipeline.readStack(stack.state)) !== null
      if (isRunning) await pipeline.prepareProgram(stack, {})
      else output.note('Nothing is running. Next: `offstream up`')
    })

const fishQuoted = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`

export default define
