import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'

/** What a command and everything that it started have used. */
export interface Measured {
  readonly seconds: number
  readonly cpuSeconds: number
  /** The most that all of its processes held together; what they share counts once. */
  readonly peakMegabytes: number
  /** Resident peak of the largest single process. */
  readonly largestMegabytes: number
  readonly stdout: string
}

const wrapper = join(import.meta.dirname, '../measure.py')

/**
 * Runs a command to its end.
 * @throws where it fails, with the end of what it wrote to standard error
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
        `\`${[file, ...args].join(' ')}\` ended with ${usage.exit_code}:\n${stderr.slice(-2_000)}`,
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
