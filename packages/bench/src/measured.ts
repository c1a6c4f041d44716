import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** The resources used by a command and all its descendants. */
export interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  /** Peak memory of all processes together. Shared memory counts once. */
  readonly peakMegabytes: number
  /** Peak resident memory of the largest process. */
  readonly largestMegabytes: number
  readonly stdout: string
}

const wrapper = join(import.meta.dirname, '../measure.py')

/**
 * Runs a command until it exits.
 * @throws with the end of its standard error if it fails
 */
export const measured = async (
  [file, ...args]: readonly [file: string, ...args: string[]],
  { cwd, env }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Measured> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-measured-'))
  const result = join(folder, 'usage.json')
  try {
    const { stdout, stderr } = await execa('python3', [wrapper, result, file, ...args], {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      maxBuffer: 1_000_000_000,
    })
    const usage = JSON.parse(await readFile(result, 'utf8'))
    if (usage.exit_code !== 0)
      throw new Error(
        `\`${[file, ...args].join(' ')}\` exited with ${usage.exit_code}:\n${stderr.slice(-2_000)}`,
      )
    return {
      seconds: usage.seconds,
      cpuSeconds: usage.cpu_seconds,
      peakMegabytes: usage.peak_mb,
      largestMegabytes: usage.largest_mb,
      stdout,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
