import type { Command } from '@commander-js/extra-typings'
import type { JobStatus } from '@offstream/pipeline'
import type { DefineCommand, MakeContext } from '../command.ts'
import { formatDuration, printable } from '../format.ts'
import { startedText } from '../jobText.ts'
import type { Cell, Output } from '../output.ts'

const define: DefineCommand = (command, context) => {
  command
    .addHelpText(
      'after',
      `
Lists the jobs that \`offstream submit <program>\` has added. A job stays in the
list until it is removed. After \`offstream down\` and \`offstream up\`,
\`offstream jobs start\` starts it again, as it was submitted, and it continues
with its checkpoint.

Exit status: 0 ok, 2 the job does not exist, 3 the services are not running.

Examples:
  offstream jobs
  offstream jobs stop sessions
  offstream jobs start sessions
  offstream jobs remove sessions

Next: \`offstream logs <job>\` shows what a job prints.`,
    )
    .action(async () => {
      const { output, pipeline, anyStack } = context()
      const { state, config } = await anyStack()
      const { jobs } = await pipeline.currentStatus(state, config)
      output.result({ kind: 'jobs', jobs }, () => (jobs.length === 0 ? '' : jobsText(jobs, output)))
      if (jobs.length === 0) output.note('No jobs. Next: `offstream submit <program>`')
    })
  addStart(command, context)
  addStop(command, context)
  addRemove(command, context)
}

const addStart = (command: Command, context: MakeContext) =>
  command
    .command('start')
    .description('start a job again, as it was submitted')
    .argument('<job>', 'its name')
    .addHelpText(
      'after',
      `
Does nothing if the job is running.

Exit status: 0 the job is running or completed, 2 the job does not exist, 3 the
services are not running, 8 the job was not ready in time, 9 could not connect
to an existing cluster, 10 it denies access or is unsuitable, 12 the job exited
before it was ready.

Example:
  offstream jobs start sessions`,
    )
    .action(async name => {
      const { output, pipeline, project, settings, call, signal } = context()
      await pipeline.requireRunning(await project(), ['kafka', 'spark-master', 'spark-worker'], signal)
      const started = await pipeline.startJob(await settings(), name, call)
      const { isComplete, waiting } = started
      const state = isComplete ? 'completed' : 'running'
      output.result({ kind: 'jobStarted', name, state, waiting }, () => '')
      for (const line of startedText(started)) output.note(line)
    })

const addStop = (command: Command, context: MakeContext) =>
  command
    .command('stop')
    .description('stop a job; it stays in the list, and keeps its checkpoint')
    .argument('<job>', 'its name')
    .addHelpText('after', '\nExample:\n  offstream jobs stop sessions')
    .action(async name => {
      const { output, pipeline, anyStack, call } = context()
      const { state } = await anyStack()
      const stopped = await pipeline.stopJob(state, name, call)
      output.result({ kind: 'jobStopped', name, stopped }, () => '')
      output.note(
        stopped
          ? `\`${name}\` is stopped. Next: \`offstream jobs start ${name}\` continues it`
          : `\`${name}\` was not running`,
      )
    })

const addRemove = (command: Command, context: MakeContext) =>
  command
    .command('remove')
    .description('stop a job, and delete its checkpoint and its log; topics and tables stay')
    .argument('<job>', 'its name')
    .addHelpText(
      'after',
      `
Without its checkpoint, a job that is submitted again reads its topic from the
beginning.

Example:
  offstream jobs remove sessions`,
    )
    .action(async name => {
      const { output, pipeline, anyStack, call } = context()
      const { state } = await anyStack()
      const hadCheckpoint = await pipeline.removeJob(state, name, call)
      output.result({ kind: 'jobRemoved', name, hadCheckpoint }, () => '')
      const what = hadCheckpoint ? 'its checkpoint and its log' : 'its log'
      output.note(`Removed \`${name}\`, with ${what}. Its topics and tables stay`)
    })

const jobsText = (jobs: readonly JobStatus[], output: Output): string =>
  [
    output.table(
      ['job', 'state', 'Spark UI', 'cores', 'memory', 'up', 'restarts', 'program'],
      jobs.map(({ name, address, cores, memory, uptimeSeconds, restarts, program, ...job }) => [
        ...[name, jobCell(job), address, String(cores), memory],
        uptimeSeconds === null ? '' : formatDuration(uptimeSeconds * 1_000),
        restarts === 0 ? '' : String(restarts),
        printable(program),
      ]),
    ),
    ...jobs.flatMap(({ name, detail }) => (detail === null ? [] : [`\n${name}: ${printable(detail)}`])),
  ].join('\n')

const jobCell = ({ state, health }: Pick<JobStatus, 'state' | 'health'>): Cell => {
  if (state === 'completed') return { text: state, tone: 'good' }
  if (state === 'running') return { text: health, tone: health === 'healthy' ? 'good' : 'bad' }
  return { text: state, tone: state === 'stopped' ? 'dim' : 'bad' }
}

export default define
