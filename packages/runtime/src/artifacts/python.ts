import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { RuntimeError } from '../errors.ts'
import { checksumMismatch, downloadFailed, ensureArtifact, type FetchOptions } from './store.ts'

/** A virtual environment made from requirement files in which every line has its hash. */
export interface PythonEnvironment {
  readonly name: string
  readonly directory: string
  /** The interpreter that it is made from. */
  readonly python: string
  /** The whole environment of pip's process; `TMPDIR` is added. */
  readonly env: Readonly<Record<string, string>>
  /**
   * Installed one after the other, so that the packages of one file can build those of the next: with build isolation
   * pip would download build tools without a hash.
   */
  readonly requirements: readonly string[]
  readonly downloadBytes: number
  readonly installedBytes: number
}

const lastLogLineCount = 12

/** The interpreter of an environment. */
export const pythonOf = (directory: string): string => join(directory, 'bin', 'python')

/**
 * Whether the interpreter of an environment exists. It is a link to the Python that made the environment, and that may
 * have been uninstalled since.
 */
const hasPython = (directory: string): Promise<boolean> =>
  access(pythonOf(directory)).then(
    () => true,
    () => false,
  )

/**
 * Makes the environment unless it is complete. pip verifies every hash, and reads the user's own configuration of index,
 * proxy and certificates.
 * @returns whether anything had to be installed
 * @throws OffstreamError PYTHON_VENV_MISSING, DOWNLOAD_FAILED, CHECKSUM_MISMATCH, DISK_FULL
 */
export const ensurePythonEnvironment = async (
  environment: PythonEnvironment,
  options: FetchOptions = {},
): Promise<boolean> =>
  ensureArtifact(
    {
      ...environment,
      isIntact: hasPython,
      fill: async ({ directory, scratch }) => {
        const run = runPython(environment, scratch, options.signal)
        await makeEnvironment(environment, directory, run)
        for (const file of environment.requirements) await install(environment.name, directory, file, run)
      },
    },
    options,
  )

/** Runs an interpreter to its end. @returns whether it failed, and what it printed */
type RunPython = (
  python: string,
  args: readonly string[],
) => Promise<{ readonly failed: boolean; readonly all: string }>

const runPython =
  ({ env }: PythonEnvironment, scratch: string, signal: AbortSignal | undefined): RunPython =>
  async (python, args) => {
    const { execa } = await import('execa')
    const result = await execa(python, [...args], {
      env: { ...env, TMPDIR: scratch },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    })
    signal?.throwIfAborted()
    return result
  }

const makeEnvironment = async (
  { python, name }: PythonEnvironment,
  directory: string,
  run: RunPython,
): Promise<void> => {
  const { failed, all } = await run(python, ['-m', 'venv', directory])
  if (!failed) return
  throw new RuntimeError(
    'PYTHON_VENV_MISSING',
    `\`${python}\` could not create a virtual environment for ${name}`,
    {
      hint: 'install the venv module of your Python (Debian, Ubuntu: `sudo apt-get install python3-venv`)',
      lastLogLines: all.trim().split('\n').slice(-lastLogLineCount),
    },
  )
}

const pipOptions = [
  ...['--require-hashes', '--no-build-isolation', '--no-deps', '--no-cache-dir'],
  ...['--disable-pip-version-check', '--no-input', '--progress-bar', 'off'],
]

const install = async (
  name: string,
  directory: string,
  requirements: string,
  run: RunPython,
): Promise<void> => {
  const args = ['-m', 'pip', 'install', ...pipOptions, '-r', requirements]
  const result = await run(pythonOf(directory), args)
  if (!result.failed) return
  if (/DO NOT MATCH THE HASHES/.test(result.all))
    throw checksumMismatch(name, 'a package does not match its pinned hash', result.all)
  throw downloadFailed(name, 'pip', result.all, result)
}
