import { stat } from 'node:fs/promises'
import { basename, extname, resolve } from 'node:path'
import { type Command, InvalidArgumentError, type OptionValues } from '@commander-js/extra-typings'
import type { JobRequest, ProgramOptions } from '@offstream/pipeline'
import { CliError } from './errors.ts'
import { positiveInteger } from './optionValues.ts'

/** The options for a program on the cluster; what is not set is that of `defaultProgram`. */
export interface ClusterOptions {
  readonly cores?: number | undefined
  readonly memory?: string | undefined
  readonly packages?: readonly string[] | undefined
  readonly conf?: readonly (readonly [string, string])[] | undefined
}

/** The options of `offstream submit` for a program of the user. */
export interface JobOptions extends ClusterOptions {
  readonly name?: string | undefined
  readonly pyFiles?: readonly string[] | undefined
  readonly once?: true | undefined
}

/** Adds the options that `submit` and `pyspark` share. */
export const withClusterOptions = <Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
) =>
  command
    .option('--cores <number>', 'maximum number of cores of the worker (default: 1)', positiveInteger)
    .option('--memory <amount>', 'memory of its executor (default: 512m)', executorMemory)
    .option(
      '--packages <libraries>',
      'Maven libraries `group:artifact:version`, comma separated',
      mavenCoordinates,
    )
    .option('--conf <property>', 'a Spark property `key=value`; can be repeated', sparkProperty)

/** The options as those of a program. */
export const programOptionsOf = (options: ClusterOptions, defaults: ProgramOptions): ProgramOptions => ({
  cores: options.cores ?? defaults.cores,
  memory: options.memory ?? defaults.memory,
  packages: options.packages ?? defaults.packages,
  conf: Object.fromEntries(options.conf ?? []),
})

/**
 * A program as a job. Paths are relative to the current folder, as in a shell.
 * @throws OffstreamError FILE_MISSING, CliError JOB_NAME_INVALID
 */
export const jobRequestOf = async (
  program: string,
  args: readonly string[],
  options: JobOptions,
  isJobName: (name: string) => boolean,
  defaults: ProgramOptions,
): Promise<JobRequest> => ({
  ...programOptionsOf(options, defaults),
  name: nameOf(options.name ?? defaultName(program), isJobName),
  program: await existingFile(program),
  args: [...args],
  directory: process.cwd(),
  pyFiles: await Promise.all((options.pyFiles ?? []).map(existingFile)),
  once: options.once ?? false,
})

/** `jobs/Hourly sales.py` → `hourly-sales`. */
const defaultName = (program: string): string =>
  basename(program, extname(program))
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')

const nameOf = (name: string, isJobName: (name: string) => boolean): string => {
  if (isJobName(name)) return name
  throw new CliError('JOB_NAME_INVALID', `A job cannot have the name \`${name}\``, {
    hint: 'choose another one with `--name`: a letter, then letters, digits and hyphens; not that of a service',
  })
}

const existingFile = async (file: string): Promise<string> => {
  const stats = await stat(file).catch(() => null)
  if (stats?.isFile()) return resolve(file)
  // Help must not load it.
  const { PipelineError } = await import('@offstream/pipeline/errors')
  throw new PipelineError('FILE_MISSING', `The file \`${file}\` does not exist`, {
    hint: 'use the path of a Python program',
  })
}

/** Parses `512m` or `2g`. Spark does not start an executor with less. */
const executorMemory = (text: string): string => {
  const [, amount, unit] = /^(\d{1,6})([mg])$/.exec(text) ?? []
  if (Number(amount) * (unit === 'g' ? 1_024 : 1) >= 512) return text
  throw new InvalidArgumentError('It must be an amount such as 512m or 2g, and at least 512m.')
}

/** Parses `spark.sql.shuffle.partitions=8`; can be repeated. */
const sparkProperty = (
  text: string,
  earlier: readonly (readonly [string, string])[] = [],
): readonly (readonly [string, string])[] => {
  const [, key, value] = /^(spark\.[^\s=]+)=(.*)$/s.exec(text) ?? []
  if (key === undefined || value === undefined)
    throw new InvalidArgumentError('It must be a property such as spark.sql.shuffle.partitions=8.')
  return [...earlier, [key, value]]
}

/** Parses `group:artifact:version`, comma separated. */
const mavenCoordinates = (text: string): string[] => {
  const all = text.split(',').map(one => one.trim())
  if (all.every(one => /^[\w.-]+:[\w.-]+:[\w.-]+$/.test(one))) return all
  throw new InvalidArgumentError(
    'It must be libraries such as org.postgresql:postgresql:42.7.4, comma separated.',
  )
}
