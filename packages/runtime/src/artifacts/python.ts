import { join } from 'node:path'
import { RuntimeError } from '../errors.ts'
import { ensureArtifact, type FetchOptions, fetchFailed } from './store.ts'

/** A virtual environment made from requirement files in which every line has its hash. */
export interface PythonEnvironment {
  readonly name: string
  readonly directory: string
  /** The interpreter it is made from. */
  readonly python: string
  /** All of the environment of pip's process; `TMPDIR` is added. */
  readonly env: Readonly<Record<string, string>>
  /**
   * Installed one after the other, so that what an earlier file brings can build what a later one names: with build
   * isolation pip would fetch build tools that no hash vouches for.
   */
  readonly requirements: readonly string[]
  readonly downloadBytes: number
  readonly installedBytes: number
}

/** The interpreter of the environment. */
export const pythonOf = (directory: string): string => join(directory, 'bin', 'python')

/**
 * Makes the environment where it is not there yet. pip verifies every hash and reads the person's own configuration
 * of index, proxy and certificates.
 * @throws OffstreamError PYTHON_VENV_MISSING, DOWNLOAD_FAILED, CHECKSUM_MISMATCH, DISK_FULL
 */
export const ensurePythonEnvironment = async (
  environment: PythonEnvironment,
  options: FetchOptions = {},
): Promise<boolean> =>
  ensureArtifact(
    {
      ...environment,
      fill: async ({ directory, scratch }) => {
        await makeEnvironment(environment, directory, scratch, options.signal)
        for (const file of environment.requirements) {
          await install(environment, directory, scratch, file, options.signal)
        }
      },
    },
    options,
  )

const makeEnvironment = async (
  { python, name, env }: PythonEnvironment,
  directory: string,
  scratch: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { execa } = await import('execa')
  const { failed, all } = await execa(python, ['-m', 'venv', directory], {
    env: { ...env, TMPDIR: scratch },
    extendEnv: false,
    reject: false,
    all: true,
    stdin: 'ignore',
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  })
  signal?.throwIfAborted()
  if (!failed) return
  throw new RuntimeError(
    'PYTHON_VENV_MISSING',
    `\`${python}\` could not make a virtual environment for ${name}`,
    {
      hint: 'install the venv module of your Python (Debian, Ubuntu: `sudo apt-get install python3-venv`)',
      lastLogLines: all.trim().split('\n').slice(-12),
    },
  )
}

const install = async (
  { name, env }: PythonEnvironment,
  directory: string,
  scratch: string,
  requirements: string,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { execa } = await import('execa')
  const run = await execa(
    pythonOf(directory),
    [
      '-m',
      'pip',
      'install',
      '--require-hashes',
      '--no-build-isolation',
      '--no-deps',
      '--no-cache-dir',
    ].concat(['--disable-pip-version-check', '--no-input', '--progress-bar', 'off', '-r', requirements]),
    {
      env: { ...env, TMPDIR: scratch },
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    },
  )
  signal?.throwIfAborted()
  if (!run.failed) return
  if (/DO NOT MATCH THE HASHES/.test(run.all)) {
    throw new RuntimeError('CHECKSUM_MISMATCH', `${name}: a package is not what was locked`, {
      hint: 'try again; where it differs again, do not trust the place it comes from',
      lastLogLines: run.all.trim().split('\n').slice(-12),
    })
  }
  throw fetchFailed(name, 'pip', run.all, run)
}
