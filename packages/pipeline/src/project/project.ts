import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { Config } from './config.ts'
import { type FileLayers, fileLayers, findConfigFile } from './configFile.ts'
import { stateFolder } from './directories.ts'
import {
  type Environment,
  environmentLayer,
  flagLayer,
  type Layer,
  mergeLayers,
  originsOf,
  type SettingOrigin,
  stackLayer,
} from './layers.ts'
import { nest } from './paths.ts'
import { crossFieldProblems, profileProblems, unknownVariables, valueProblems } from './rules.ts'
import { requireSupportedPath } from './supportedPath.ts'

/** A project with its configuration. */
export interface Project {
  readonly config: Config
  /** The folder of `offstream.yaml` (or `config/offstream.yaml`); without such a file, the current folder. */
  readonly directory: string
  /** The state folder of the stack. */
  readonly state: string
  /** The name of the profile in use; null: none. */
  readonly profile: string | null
  /** The configuration file; null if it does not exist. */
  readonly file: string | null
  /** Where each setting comes from, by its path such as `kafka.port`. */
  readonly origins: ReadonlyMap<string, SettingOrigin>
}

/** Where a project is, and what overrides its configuration. */
export interface ProjectOptions {
  /** The folder where the search for `offstream.yaml` starts; it continues in the folders above. */
  readonly from: string
  readonly environment: Environment
  /** The name of the stack; null for the default stack. */
  readonly stack?: string | null
  /** The name of a profile in the file, whose settings override those outside of profiles; null: none. */
  readonly profile?: string | null
  /** `kafka.port=9093` and the like, from the command line. */
  readonly settings?: readonly string[]
  /** The configuration of the running stack, which has precedence over the file and the environment. */
  readonly runningConfig?: ((state: string) => Promise<Config | null>) | undefined
}

/** A project that may have an invalid configuration. */
export interface LenientProject extends Project {
  /** Null: the configuration is valid. Otherwise `config` is that of the running stack, or the defaults, with the flags. */
  readonly problem: OffstreamError | null
}

/**
 * As `loadProject`, for commands that must work whatever is wrong with the file or the environment.
 * @throws OffstreamError CONFIG_INVALID if a flag of the command line is invalid
 */
export const loadProjectLeniently = async (options: ProjectOptions): Promise<LenientProject> => {
  try {
    return { ...(await loadProject(options)), problem: null }
  } catch (problem) {
    if (!(problem instanceof OffstreamError)) throw problem
    const { directory, state, profile, found } = await locateProject(options)
    // A misspelt profile has no stack. One that was deleted from the file may have one, which `down` must stop.
    if (problem.code === 'PROFILE_UNKNOWN' && (await stat(state).catch(() => null)) === null) throw problem
    const layers = [
      stackLayer((await options.runningConfig?.(state)) ?? null),
      flagLayer(options.settings ?? []),
    ]
    const parsed = Config.safeParse(nest(mergeLayers(layers)))
    // A mistake on the command line itself is always reported.
    if (!parsed.success || layers.some(layer => layer.problems.length > 0)) throw problem
    return {
      config: parsed.data,
      ...{ directory, state, profile, file: found?.file ?? null, problem },
      origins: originsOf(layers),
    }
  }
}

/**
 * Reads the configuration once. Precedence: flags, the running stack, environment (`OFFSTREAM_KAFKA_PORT`), profile, file,
 * defaults.
 * @throws OffstreamError CONFIG_INVALID with all problems, each with its place; PROFILE_UNKNOWN, PATH_UNSUPPORTED
 */
export const loadProject = async (options: ProjectOptions): Promise<Project> => {
  const { environment, settings = [], runningConfig } = options
  const { directory, state, profile, found } = await locateProject(options)
  requireSupportedPath(directory)
  const file = fileLayers(found)
  const layers = [
    file.base,
    ...selectedProfile(file, profile),
    environmentLayer(environment),
    stackLayer((await runningConfig?.(state)) ?? null),
    flagLayer(settings),
  ]
  const values = mergeLayers(layers)
  const parsed = Config.safeParse(nest(values))
  const problems = [
    ...layers.flatMap(layer => layer.problems),
    ...[...file.profiles].flatMap(([name, layer]) => (name === profile ? [] : profileProblems(layer))),
    ...unknownVariables(environment, values, [file.base, ...file.profiles.values()]),
    ...(parsed.success ? crossFieldProblems(parsed.data) : valueProblems(parsed.error, layers)),
  ]
  if (!parsed.success || problems.length > 0) throw configInvalid(problems)
  return {
    config: parsed.data,
    ...{ directory, state, profile, file: found?.file ?? null },
    origins: originsOf(layers),
  }
}

/** @throws OffstreamError PROFILE_UNKNOWN */
const selectedProfile = ({ base, profiles }: FileLayers, name: string | null): readonly Layer[] => {
  if (name === null) return []
  const layer = profiles.get(name)
  if (layer !== undefined) return [layer]
  // The profile may be in a part of the file that cannot be read; these problems are reported instead.
  if (base.problems.length > 0) return []
  const names = [...profiles.keys()].map(known => `\`${known}\``).join(', ')
  throw new PipelineError('PROFILE_UNKNOWN', `The profile \`${name}\` does not exist`, {
    hint:
      names === ''
        ? 'add it to `profiles` in `offstream.yaml`, which has no profiles'
        : `use one of ${names}, or add it to \`profiles\` in \`offstream.yaml\``,
  })
}

/** The folders of a project and its configuration file, whatever the file contains. */
const locateProject = async ({ from, stack = null, profile = null }: ProjectOptions) => {
  const found = await findConfigFile(resolve(from))
  const directory = found?.directory ?? resolve(from)
  return { directory, state: stateFolder(directory, stack, profile), profile, found }
}

const configInvalid = (problems: readonly string[]): OffstreamError =>
  new PipelineError(
    'CONFIG_INVALID',
    `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(problem => `  ${problem}`).join('\n')}`,
    { hint: 'compare with the file that `offstream init <folder>` writes: it lists every setting' },
  )
