import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'
import { programOptionsOf, withClusterOptions } from '../jobRequest.ts'

const define: DefineCommand = (command, context) =>
  withClusterOptions(command)
    .addHelpText(
      'after',
      `
Opens PySpark's own shell on the cluster, with the Python of the stack. \`spark\`
is a session with the catalog \`lake\` and the Kafka source; the addresses of
\`offstream env\` are in \`os.environ\`. The shell uses cores and memory of the
worker until you leave it.

Exit status: 0 you left the shell, 2 standard input is not a terminal, 3 the
services are not running, 9 could not connect to an existing cluster, 10 it is
unsuitable, 12 Python exited with another status.

Examples:
  offstream pyspark
  offstream pyspark --cores 2 --memory 1g

Next: type \`spark.table("lake.off.products").show()\`; Ctrl-D leaves.`,
    )
    .action(async options => {
      if (!process.stdin.isTTY)
        throw new CliError('TERMINAL_REQUIRED', '`offstream pyspark` needs a terminal as standard input', {
          hint: 'run a program with `offstream submit <program>`',
        })
      const { output, pipeline, stack, settings, signal, setOutcome } = context()
      await pipeline.requireRunning(await stack(), ['spark-master', 'spark-worker'], signal)
      const program = programOptionsOf(options, pipeline.defaultProgram)
      const running = await settings()
      const isSaved = (await pipeline.readStack(running.state)) !== null
      await pipeline.prepareProgram(running, isSaved ? {} : process.env)
      const command = pipeline.pysparkCommand(running, program, process.env)
      const { runInTerminal } = await import('../terminalProgram.ts')
      const { exitCode } = await runInTerminal(command, signal)
      output.result({ kind: 'pyspark', exitCode }, () => '')
      if (exitCode !== 0) setOutcome('failed')
    })

export default define
