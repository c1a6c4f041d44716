import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { readState, writeState } from '@offstream/runtime'
import { z } from 'zod'
import { logNames } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'

/** A job of the user: a PySpark program and how it is submitted. */
const Job = z.object({
  /** Also the name of its service. */
  name: z.string(),
  /** Absolute path of the program. */
  program: z.string(),
  args: z.array(z.string()).readonly(),
  /** Its working folder: where the user submitted it. */
  directory: z.string(),
  /** Maximum number of cores of the worker. */
  cores: z.int(),
  /** Memory of its executor. */
  memory: z.string(),
  /** Maven coordinates of libraries, `group:artifact:version`. */
  packages: z.array(z.string()).readonly(),
  /** Python files and archives for driver and executors. */
  pyFiles: z.array(z.string()).readonly(),
  /** More Spark properties. */
  conf: z.record(z.string(), z.string()),
  /** Whether it is not restarted after a failure. */
  once: z.boolean(),
  /** Port of its Spark UI. */
  webPort: z.int(),
})
/** A job of the user. */
export type Job = z.infer<typeof Job>

/** What a name of a job must be: it is also the name of files, and of the checkpoint's folder. */
const jobNamePattern = /^[a-z][a-z0-9-]{0,39}$/

/** Whether a job can have this name: those of services and logs are taken. */
export const isJobName = (name: string): boolean =>
  jobNamePattern.test(name) && !(logNames as readonly string[]).includes(name)

/** Where the jobs of a stack are stored, one file each, so that two commands can add one at the same time. */
const fileOf = (state: string, name: string): string => join(directoriesOf(state).jobs, `${name}.json`)

/** The jobs of a stack, by name, whether they run or not. A damaged file counts as absent. */
export const readJobs = async (state: string): Promise<readonly Job[]> => {
  const files = await readdir(directoriesOf(state).jobs).catch(() => [])
  const names = files.flatMap(file => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []))
  const jobs = await Promise.all(
    names
      .filter(isJobName)
      .toSorted()
      .map(name => readJob(state, name)),
  )
  return jobs.filter(job => job !== null)
}

/** A job of a stack; null if it does not exist. */
export const readJob = (state: string, name: string): Promise<Job | null> =>
  readState(fileOf(state, name), Job)

/** Adds a job to a stack, or replaces the one with its name. */
export const saveJob = (state: string, job: Job): Promise<void> => writeState(fileOf(state, job.name), job)

/** Removes a job from a stack, with its checkpoint and its log. Its topics and tables stay. */
export const deleteJob = async (state: string, name: string): Promise<void> => {
  await rm(jobCheckpoint(state, name), { recursive: true, force: true })
  await rm(fileOf(state, name), { force: true })
  const { logs } = directoriesOf(state)
  const own = (await readdir(logs).catch(() => [])).filter(file => file.startsWith(`${logNameOf(name)}.`))
  for (const file of own) await rm(join(logs, file), { force: true })
}

/** The folder for the checkpoint of a job. */
export const jobCheckpoint = (state: string, name: string): string =>
  join(directoriesOf(state).jobCheckpoints, name)

/** The log of a job; a job can have the name of a service's log file. */
export const jobLogFile = (state: string, name: string): string =>
  join(directoriesOf(state).logs, `${logNameOf(name)}.log`)

const logNameOf = (name: string): string => `job-${name}`
