import { Option } from '@commander-js/extra-typings'
import type { JobRequest, StartedJob } from '@offstream/pipeline'
import { OffstreamError } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { jobRequestOf, withClusterOptions } from '../jobRequest.ts'
import { startedText } from '../jobText.ts'
import { commaSeparated } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  withClusterOptions(command)
    .argument('[program]', 'your own PySpark program (default: the job of the products)')
    .argument('[args...]', 'its arguments; put `--` before options of the program')
    .option(
      '--accept-data-loss',
      'if messages were lost, record the loss in the table and continue without them',
    )
    .addOption(
      new Option('--dry-run', 'print the command that would start the job, without its secrets').conflicts(
        'acceptDataLoss',
      ),
    )
    .option('--name <name>', 'name of the job (default: the name of the file)')
    .option('--py-files <files>', 'Python files and archives for its tasks, comma separated', commaSeparated)
    .option('--once', 'do not restart the program if it fails')
    .addHelpText(
      'after',
      `
Without a program, it starts the job of the products, \`spark-jobs/stream.py\`. It
reads the messages of the topic \`products-events\` and merges the newest record
of each barcode into the table, which SQL clients see as the view \`Products\`.
Messages that are not products are rejected; the view \`products_rejected\` shows
them. The daemon supervises the job like the other services, under the name
\`products-stream\`, until \`offstream down\`. If it is running already, this
command does nothing. With \`stream.deployMode: cluster\` its driver runs in YARN.

The job of the products stops if messages were lost before it read them: the
topic was deleted and created again, retention has deleted unread messages, or
the broker has lost some. \`--accept-data-loss\` records the loss in the table and
continues with the messages that exist; \`offstream status\` shows it from then
on. It does nothing if no message was lost.

With a program, it runs the program on the same cluster, with the catalog
\`lake\`, the Kafka source, and the variables of \`offstream env\`.
OFFSTREAM_CHECKPOINT is a folder for its checkpoint. The job is a service too:
\`offstream status\`, \`logs\`, \`restart\` and \`down\` include it, and
\`offstream jobs\` lists it. If the program exits with status 0, the job is
\`completed\`. If it fails after its Spark session has started, it is restarted
after a pause, at most five times in ten minutes. A program that uses the Python
package \`offstream_jobs\` is ready when its first batch is in the table.

With \`spark.master\` the program runs on this machine, and its tasks run on the
existing cluster.

\`--dry-run\` prints the \`spark-submit\` command for a shell, and changes nothing;
with \`--json\`, its arguments, environment and folder. Each secret is replaced
with \`[removed]\`. Missing runtimes are downloaded, because the command contains
their paths.

Exit status: 0 the job is running or completed, 2 the program does not exist,
3 the services are not running, 8 the job was not ready in time, 9 could not
connect to an existing cluster or catalog, 10 it denies access or is unsuitable,
12 the job exited before it was ready, 13 another stream writes to the table, or
another job has this name.

Examples:
  offstream up && offstream submit
  offstream submit --accept-data-loss
  offstream submit --dry-run --profile prod
  offstream submit jobs/sessions.py --cores 2
  offstream submit report.py --once -- --day 2026-01-31

Next: \`offstream scrape --limit 100\` publishes products to the topic.`,
    )
    .action(async (program, args, { acceptDataLoss = false, dryRun = false, ...options }) => {
      if (program === undefined) {
        const [first] = Object.keys(options)
        if (first !== undefined) throw onlyForPrograms(first)
        return dryRun ? showCommand(context(), null) : submitStream(context(), acceptDataLoss)
      }
      if (acceptDataLoss) throw onlyForTheStream()
      const made = context()
      const { defaultProgram, isJobName } = made.pipeline
      const request = await jobRequestOf(program, args, options, isJobName, defaultProgram)
      return dryRun ? showCommand(made, request) : submitProgram(made, request)
    })

const submitProgram = async (
  { output, pipeline, project, settings, call, signal }: Context,
  request: JobRequest,
): Promise<void> => {
  await pipeline.requireRunning(await project(), ['kafka', 'spark-master', 'spark-worker'], signal)
  const stack = await settings()
  await pipeline.checkLake(stack.config, stack.state, signal)
  const started = await pipeline.submitJob(stack, request, call)
  const address = pipeline.addressOf(request.name, stack.config, [started.job])
  output.result({ kind: 'submit', name: request.name, address, ...resultOf(started) }, () => '')
  for (const line of startedText(started)) output.note(line)
}

const resultOf = ({ isComplete, waiting }: StartedJob) => ({
  state: isComplete ? 'completed' : 'running',
  waiting,
})

/** @param request null: the job of the products */
const showCommand = async (
  { output, pipeline, settings }: Context,
  request: JobRequest | null,
): Promise<void> => {
  const stack = await settings()
  const name = request?.name ?? 'products-stream'
  const jobs = request === null ? [] : [await pipeline.plannedJob(stack, request)]
  const command = await pipeline.shownCommand(stack, name, process.env, jobs)
  const { file, args, env, cwd } = command
  output.result(
    {
      ...{ kind: 'submit', dryRun: true, name },
      ...{ command: [file, ...args], environment: env, folder: cwd },
    },
    () => pipeline.shellText(command),
  )
}

const submitStream = async (
  { output, pipeline, project, settings, call, signal }: Context,
  acceptDataLoss: boolean,
): Promise<void> => {
  await pipeline.requireRunning(await project(), ['kafka', 'spark-master', 'spark-worker'], signal)
  const stack = await settings()
  await pipeline.checkLake(stack.config, stack.state, signal)
  const start = () => pipeline.startServices(stack, ['products-stream'], call)
  const accept = async () => {
    const reason = await pipeline.acceptDataLoss(stack, signal)
    if (reason !== null) output.note(`Recorded the accepted loss: ${reason}`)
  }
  if (acceptDataLoss) await accept()
  await start().catch(async (error: unknown) => {
    if (!acceptDataLoss || !isDataLoss(error)) throw error
    await accept()
    await start()
  })
  const address = pipeline.addressOf('products-stream', stack.config)
  output.result({ kind: 'submit', name: 'products-stream', address }, () => '')
  output.note('The job is running. Next: `offstream scrape --limit 100`, then `offstream status`')
}

const isDataLoss = (error: unknown): boolean =>
  error instanceof OffstreamError && error.code === 'KAFKA_DATA_LOSS'

const onlyForPrograms = (option: string): CliError => {
  const flag = `--${option.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`
  return new CliError('OPTIONS_CONFLICT', `\`${flag}\` is for your own programs, and no program is given`, {
    hint: 'add the path of the program, or set the sections `stream` and `spark` of the settings for the job of the products',
  })
}

const onlyForTheStream = (): CliError =>
  new CliError('OPTIONS_CONFLICT', '`--accept-data-loss` is only for the job of the products', {
    hint: 'omit it: your own program decides what to do if messages were lost',
  })

export default define
