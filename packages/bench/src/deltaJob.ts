import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { type ProcessInfo, processesWith } from './processUsage.ts'
import type { Bench } from './scenario.ts'

/** A stock Spark job that upserts new messages into a Delta table, until it is disposed. */
export interface DeltaJob extends AsyncDisposable {
  /** The table for probe.py. */
  readonly table: string
  readonly processes: () => Promise<readonly ProcessInfo[]>
}

/** Starts the job. Its table already has the first messages of the topic: delta-rs has written them, which is faster. */
export const startDeltaJob = async (
  { peers, scratch }: Pick<Bench, 'peers' | 'scratch'>,
  broker: string,
  { rows, startOffset }: { readonly rows: number; readonly startOffset: number },
): Promise<DeltaJob> => {
  const folder = join(scratch, `delta-${crypto.randomUUID()}`)
  const table = join(folder, 'table')
  await mkdir(folder)
  await peers.run('native.py', broker, table, '--events', String(rows), '--batch', String(rows))
  const choice = ['--live', '--start', String(startOffset)]
  const [file, ...args] = peers.sparkCommand(broker, 'delta', folder, ...choice)
  // In its own process group, because spark-submit starts Python, which would outlive it.
  const job = execa(file, args, { env: peers.sparkEnvironment, reject: false, detached: true })
  const kill = () => {
    if (job.pid !== undefined && job.exitCode === null) process.kill(-job.pid, 'SIGKILL')
  }
  // The group does not get a signal of the terminal.
  process.once('exit', kill)
  const stop = async () => {
    process.off('exit', kill)
    kill()
    await job
  }
  try {
    await new Promise<void>((resolve, reject) => {
      job.stdout.on('data', text => String(text).includes('ready') && resolve())
      job.then(({ stderr }) => reject(new Error(`the Delta job exited: ${stderr.slice(-2_000)}`)))
    })
  } catch (error) {
    await stop()
    throw error
  }
  return {
    table: `delta:${table}`,
    processes: () => processesWith(folder),
    [Symbol.asyncDispose]: stop,
  }
}
