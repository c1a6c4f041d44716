import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LenientProject, Project, Stack, StackCall } from '@offstream/pipeline'
import * as pipeline from '@offstream/pipeline'
import { type FetchProgress, fileErrorOf, launchDaemon, messageOf, onDamagedState } from '@offstream/runtime'
import type { Outcome } from '@offstream/runtime/errors'
import { CliError } from './errors.ts'
import { formatBytes, printable, progressBar } from './format.ts'
import { modeFor, Output } from './output.ts'
import { printServiceEvents, startCancelledText, waitingText } from './serviceProgress.ts'

/** Everything that `@offstream/pipeline` exports; commands get it from their context. */
export type Pipeline = typeof pipeline

/** The options that every command has. */
export interface GlobalOptions {
  readonly json?: boolean | undefined
  readonly project?: string | undefined
  /** The name of one of several stacks of the project. */
  readonly stack?: string | undefined
  /** The name of a profile of `offstream.yaml`. */
  readonly profile?: string | undefined
  /** For example `kafka.port=9093`. */
  readonly settings: readonly string[]
}

/**
 * What the action of a command needs: the pipeline, the project and the output. This module is loaded when a command
 * runs. The definition of a command, which is all that help needs, does not load it.
 */
export interface Context {
  readonly pipeline: Pipeline
  readonly output: Output
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
  /** Aborted by the second of them, just before the process exits. */
  readonly force: AbortSignal
  /** Sets the exit status of a command that succeeds but found something, for example a degraded stack. */
  readonly setOutcome: (outcome: Outcome) => void
  /** The project with its configuration; if its stack is running, the configuration that it was started with. */
  readonly project: () => Promise<Project>
  /** The same for commands that must work even if the configuration is invalid. */
  readonly anyProject: () => Promise<LenientProject>
  /** The project as file, environment and command line configure it, also while its stack is running. */
  readonly written: () => Promise<Project>
  /** The project with the settings and the data of another profile. */
  readonly projectOf: (profile: string) => Promise<Project>
  /** `project`, for a command that needs running services. If they lost their daemon, a new one is started. */
  readonly stack: () => Promise<Project>
  /** The same for commands that must work even if the configuration is invalid. */
  readonly anyStack: () => Promise<LenientProject>
  /** The settings to start services with. Missing runtimes are downloaded. */
  readonly settings: () => Promise<Stack>
  /** Downloads the runtimes that are missing, and shows the progress. By default they include the jars of the catalog. */
  readonly fetchRuntimes: (
    libraries?: ReturnType<Pipeline['librariesFor']>,
  ) => Promise<Pick<Stack, 'runtimes' | 'archives'>>
  /** Prints which options select other running services of the project, for a user who has omitted `--profile`. */
  readonly noteOtherServices: () => Promise<void>
  /** The daemon and the output for starting and stopping services. */
  readonly call: Required<StackCall>
}

/** How the process and a command communicate: signals to the command, the outcome back. */
export type ProcessLink = Pick<Context, 'signal' | 'force'> & {
  readonly onOutcome: (outcome: Outcome) => void
}

/** The context of one run of a command. The project is read once, when it is first needed. */
export const contextOf = (options: GlobalOptions, { signal, force, onOutcome }: ProcessLink): Context => {
  const output = new Output(modeFor(options.json ?? false, process.stderr, process.env))
  onDamagedState(({ file, reason }) =>
    output.note(`Ignored the damaged file \`${printable(file)}\`: ${printable(reason)}`),
  )
  const projectOptions = async () => ({
    from: options.project === undefined ? process.cwd() : await existingFolder(options.project),
    environment: process.env,
    stack: options.stack ?? null,
    profile: options.profile ?? null,
    settings: options.settings,
  })
  const { runningConfig } = pipeline
  const project = lazily(async () => pipeline.loadProject({ ...(await projectOptions()), runningConfig }))
  const anyProject = lazily(async () =>
    pipeline.loadProjectLeniently({ ...(await projectOptions()), runningConfig }),
  )
  const manage = async <P extends Project>(found: P): Promise<P> => {
    // The running services can be probed even if no daemon can be started, for example on a full disk.
    await pipeline
      .ensureManaged(found.state, () => startDaemon(found))
      .catch(error =>
        output.note(
          `Crashed services are not restarted: ${printable(messageOf(fileErrorOf(error) ?? error))}`,
        ),
      )
    return found
  }
  const fetch: Context['fetchRuntimes'] = async libraries => {
    const found = await project()
    return fetchRuntimes(output, found, libraries ?? pipeline.librariesFor(found.config), signal)
  }
  return {
    pipeline,
    output,
    signal,
    force,
    setOutcome: onOutcome,
    project,
    anyProject,
    written: async () => pipeline.loadProject(await projectOptions()),
    projectOf: async profile =>
      pipeline.loadProject({ ...(await projectOptions()), stack: null, profile, settings: [] }),
    stack: async () => manage(await project()),
    anyStack: async () => manage(await anyProject()),
    settings: async () => {
      const { directory, state, config } = await project()
      const running = await pipeline.readStack(state)
      // The settings of a restart may need other jars than the running stack.
      const isComplete = running?.runtimes.additionalJars.length === pipeline.librariesFor(config).length
      const { runtimes, archives } = running !== null && isComplete ? running : await fetch()
      return { project: directory, state, config, runtimes, archives }
    },
    fetchRuntimes: fetch,
    noteOtherServices: async () => {
      const hint = await pipeline.otherServicesHint((await anyProject()).state)
      if (hint !== null) output.note(hint)
    },
    call: {
      launchDaemon: async () => startDaemon(await anyProject()),
      onEvent: printServiceEvents(output),
      onWaiting: () => output.note(waitingText),
      onWithdrawn: () => output.note(startCancelledText),
      signal,
    },
  }
}

/** Without this check, a misspelled folder would become a new project with its own stack. */
const existingFolder = async (folder: string): Promise<string> => {
  const stats = await stat(folder).catch(() => null)
  if (stats?.isDirectory()) return folder
  throw new CliError('PROJECT_MISSING', `The folder \`${folder}\` does not exist`, {
    hint: 'check the value of `--project`, or create a project there with `offstream init <folder>`',
  })
}

const lazily = <T>(make: () => Promise<T>): (() => Promise<T>) => {
  let made: Promise<T> | null = null
  return () => {
    made ??= make()
    return made
  }
}

/** Downloads Spark, Kafka and the connectors if they are missing, with a progress bar. */
const fetchRuntimes = async (
  output: Output,
  { directory, config }: Project,
  libraries: ReturnType<Pipeline['librariesFor']>,
  signal: AbortSignal,
): Promise<Pick<Stack, 'runtimes' | 'archives'>> => {
  const printed = new Map<string, number>()
  const lines = new Map<string, string>()
  const onProgress = ({ artifact, bytes: done, totalBytes }: FetchProgress): void => {
    const tenth = Math.floor((done / totalBytes) * 10)
    const unpacking = done === totalBytes ? ' · unpacking' : ''
    lines.set(
      artifact,
      `${artifact.padEnd(16)} ${progressBar(done, totalBytes)} ${formatBytes(done)} of ${formatBytes(totalBytes)}${unpacking}`,
    )
    output.live([...lines.values()].join('\n'))
    if (output.mode !== 'terminal' && printed.get(artifact) !== tenth) {
      printed.set(artifact, tenth)
      output.event(
        { kind: 'fetching', artifact, bytes: done, totalBytes },
        `${artifact}: ${formatBytes(done)} of ${formatBytes(totalBytes)}`,
      )
    }
  }
  const ivySettings = pipeline.assetPath(directory, 'config', 'ivysettings.xml')
  try {
    const runtimes = await pipeline.ensureRuntimes({
      environment: process.env,
      ivySettings,
      kafkaMode: config.kafka.mode,
      libraries,
      onProgress,
      signal,
    })
    const cache = pipeline.cacheDirectory(process.env)
    // Java makes no archive if a folder with files is on the class path, as that of Hadoop's configuration is.
    const archives =
      config.spark.hadoopConfDir === null ? await pipeline.ensureArchives(cache, runtimes, { signal }) : null
    return { runtimes, archives }
  } finally {
    output.endLive()
  }
}

/** Starts the daemon as a background process, detached from the terminal. */
const startDaemon = async ({ directory, state }: Project): Promise<void> => {
  const { logs } = pipeline.directoriesOf(state)
  await mkdir(logs, { recursive: true })
  const main = fileURLToPath(new URL('main.js', import.meta.url))
  await launchDaemon({
    file: process.execPath,
    args: [main, 'daemon', '--project', directory, ...pipeline.optionsFor(state)],
    env: pipeline.daemonEnvironment(process.env),
    cwd: directory,
    logFile: join(logs, 'daemon.log'),
  })
}
