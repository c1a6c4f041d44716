import { readdir, readFile } from 'node:fs/promises'

/** A process, as `/proc` shows it. Linux only. */
export interface ProcessInfo {
  readonly pid: number
  readonly command: string
}

const ticksPerSecond = 100

/** The processes that have one of these texts in their command line, except this one. */
export const processesWith = async (project: string): Promise<readonly ProcessInfo[]> => {
  const pids = (await readdir('/proc')).map(Number).filter(pid => pid > 0 && pid !== process.pid)
  const all = await Promise.all(pids.map(async pid => ({ pid, command: await textOf(pid, 'cmdline') })))
  return all
    .map(({ pid, command }) => ({ pid, command: command.replaceAll('\0', ' ') }))
    .filter(({ command }) => command.includes(project))
}

/** The processor seconds of processes since their start, and of their children that have exited. */
export const cpuSecondsOf = async (processes: readonly ProcessInfo[]): Promise<number> => {
  const all = await Promise.all(processes.map(async ({ pid }) => ticksIn(await textOf(pid, 'stat'))))
  return all.reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond
}

/** @see proc(5): `utime`, `stime`, `cutime` and `cstime` are the fields 14 to 17; the name of field 2 may have spaces. */
export const ticksIn = (stat: string): number =>
  stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks), 0)

/** The memory of processes. Shared memory counts once. */
export const megabytesOf = async (processes: readonly ProcessInfo[]): Promise<number> => {
  const all = await Promise.all(
    processes.map(async ({ pid }) =>
      Number(/^Pss:\s+(\d+)/m.exec(await textOf(pid, 'smaps_rollup'))?.[1] ?? 0),
    ),
  )
  return all.reduce((sum, kilobytes) => sum + kilobytes, 0) / 1_024
}

/** Empty if the process has exited. */
const textOf = (pid: number, file: string): Promise<string> =>
  readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')

/** Samples the memory of processes until it is disposed. */
export class MemorySampler implements Disposable {
  #peak = 0
  readonly #timer: NodeJS.Timeout

  constructor(processes: () => Promise<readonly ProcessInfo[]>, everyMs = 500) {
    const sample = async () => {
      this.#peak = Math.max(this.#peak, await megabytesOf(await processes()))
    }
    this.#timer = setInterval(() => void sample(), everyMs)
    void sample()
  }

  get peakMegabytes(): number {
    return this.#peak
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** The share of the processors that is in use now, from 0 to 1, measured for a second. */
export const busyShare = async (): Promise<number> => {
  const before = shareOf(await readFile('/proc/stat', 'utf8'))
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const after = shareOf(await readFile('/proc/stat', 'utf8'))
  return (after.busy - before.busy) / Math.max(1, after.all - before.all)
}

/** @see proc(5): the fourth and fifth number of the first line are idle time. */
const shareOf = (stat: string): { readonly busy: number; readonly all: number } => {
  const numbers = (stat.split('\n')[0] ?? '').split(/\s+/).slice(1, 9).map(Number)
  const all = numbers.reduce((sum, each) => sum + each, 0)
  return { all, busy: all - (numbers[3] ?? 0) - (numbers[4] ?? 0) }
}
