import { readdir, readFile } from 'node:fs/promises'
import { pause } from './until.ts'

/**
 * Which process a pid means. The system reuses pids, so a pid alone proves nothing: the start time distinguishes two
 * processes with the same pid, also across reboots.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Identifies the start of the process. Opaque; equal only for the same process. */
  readonly startId: string
}

/** A process as the user should see it, for example the holder of a port. */
export interface ProcessSummary {
  readonly pid: number
  readonly name: string
}

/** The process that has `pid` now; null if it does not exist. A zombie does not count: it cannot serve or be stopped. */
export const identify = async (pid: number): Promise<ProcessIdentity | null> => {
  const startId = process.platform === 'linux' ? await linuxStartId(pid) : await portableStartId(pid)
  return startId === null ? null : { pid, startId }
}

/** Whether the process that `identity` was taken from still runs. */
export const isAlive = async (identity: ProcessIdentity): Promise<boolean> =>
  (await identify(identity.pid))?.startId === identity.startId

/** How `waitForExit` looks at a process; tests replace it. */
export interface ProcessProbe {
  /** Whether a process with this pid exists: one system call. */
  readonly exists: (pid: number) => boolean
  /** Whether it is the same process: outside of Linux this starts a program. */
  readonly isAlive: (identity: ProcessIdentity) => Promise<boolean>
  /** How often `isAlive` is called. */
  readonly identityIntervalMs: number
}

export interface WaitForExitOptions {
  /** Without it, waits until the process exits or `signal` is aborted. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly probe?: ProcessProbe
}

/** Pauses between two looks: a short exit is noticed soon, and a long wait costs little. */
const firstLookMs = 10
const maxLookMs = 250
/**
 * Waits until a process has exited. Most looks only check whether its pid exists; whether it is the same process is
 * checked at the beginning, every `identityIntervalMs` and at the end.
 * @returns whether it has exited; false after `timeoutMs` or when `signal` is aborted
 */
export const waitForExit = async (
  identity: ProcessIdentity,
  { timeoutMs = Number.POSITIVE_INFINITY, signal, probe = systemProbe }: WaitForExitOptions = {},
): Promise<boolean> => {
  const deadline = Date.now() + timeoutMs
  let checkAt = 0
  for (let lookMs = firstLookMs; ; lookMs = Math.min(lookMs * 1.5, maxLookMs)) {
    if (!probe.exists(identity.pid)) return true
    const now = Date.now()
    if (now >= checkAt || now >= deadline) {
      if (!(await probe.isAlive(identity))) return true
      checkAt = Date.now() + probe.identityIntervalMs
    }
    if (now >= deadline || signal?.aborted) return false
    await pause(Math.min(lookMs, deadline - now), signal)
  }
}

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // A process of another user exists too.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * On Linux a look at the process itself costs little and shows a zombie at once. Elsewhere it starts `ps`, and a zombie
 * or another process with the same pid is noticed after two seconds.
 */
const systemProbe: ProcessProbe = {
  exists,
  isAlive,
  identityIntervalMs: process.platform === 'linux' ? 0 : 2_000,
}

const linuxStartId = async (pid: number): Promise<string | null> => {
  const stat = await statFields(pid)
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return null
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()}/${stat.startTicks}`
}

const portableStartId = async (pid: number): Promise<string | null> =>
  startIdOf(await ps(['-o', 'stat=,lstart=', '-p', String(pid)]))

/** @param line of `ps -o stat=,lstart=`; empty if the process does not exist */
export const startIdOf = (line: string): string | null => {
  const [state, ...start] = line.trim().split(/\s+/)
  return !state || state.startsWith('Z') || start.length === 0 ? null : start.join(' ')
}

/** The language and the time zone of the user must not change how `ps` prints the start of a process. */
export const ps = async (args: readonly string[]): Promise<string> => {
  const { execa } = await import('execa')
  return (await execa('ps', args, { reject: false, env: psEnvironment })).stdout
}

/** The locale and the time zone in which `ps` prints the start of a process. */
export const psEnvironment: Readonly<Record<string, string>> = { LC_ALL: 'C', TZ: 'UTC' }

interface StatFields {
  readonly state: string
  readonly group: string
  readonly startTicks: string
  /** Processor time, of the process and in the kernel. */
  readonly ticks: number
}

/** @see proc_pid_stat(5): the name is in parentheses and may contain any character. */
export const statFields = async (pid: number): Promise<StatFields | null> => {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (line === null) return null
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return {
    ...{ state: fields[0] ?? '', group: fields[2] ?? '', startTicks: fields[19] ?? '' },
    ticks: Number(fields[11]) + Number(fields[12]),
  }
}

/** Every pid of this machine, from procfs. */
export const linuxPids = async (): Promise<number[]> =>
  (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)

/** A process that has a mark in its environment. */
export interface MarkedProcess {
  readonly pid: number
  /** The value of the variable. */
  readonly mark: string
  /** Whether it leads its process group: then it is the process that was started, not a child of it. */
  readonly leads: boolean
}

/**
 * The running processes that were started with the variable `name` in their environment. By it we recognise what we
 * started even if its pid was not recorded, and children that outlive their parent.
 */
export const markedProcesses = async (name: string): Promise<MarkedProcess[]> => {
  if (process.platform === 'linux') {
    const found = await Promise.all((await linuxPids()).map(pid => linuxMarked(pid, name)))
    return found.filter(one => one !== null)
  }
  // Without `ww` the environment is cut off at the width of a terminal.
  const lines = await ps(['-axEww', '-o', 'pid=,pgid=,stat=,command='])
  const marked = new RegExp(`\\s${name}=(\\S+)`)
  return lines.split('\n').flatMap(line => {
    const [pid = '', group, state] = line.trim().split(/\s+/, 3)
    const mark = marked.exec(line)?.[1]
    if (mark === undefined || state?.startsWith('Z')) return []
    return [{ pid: Number(pid), mark, leads: pid === group }]
  })
}

/** A zombie no longer has an environment, and the environment of another user's process cannot be read. */
const linuxMarked = async (pid: number, name: string): Promise<MarkedProcess | null> => {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  const variable = environment.split('\0').find(one => one.startsWith(`${name}=`))
  if (variable === undefined) return null
  const group = (await statFields(pid))?.group
  return group === undefined
    ? null
    : { pid, mark: variable.slice(name.length + 1), leads: group === String(pid) }
}

/** The process group of a process; null if the process does not exist. */
export const groupOf = async (pid: number): Promise<number | null> =>
  Number(
    process.platform === 'linux'
      ? (await statFields(pid))?.group
      : (await ps(['-o', 'pgid=', '-p', String(pid)])).trim(),
  ) || null

/** Sends `signal` to a process or, with a negative number, to a process group. One that has exited is fine. */
export const send = (target: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(target, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** A running process with its command line, words separated by blanks. */
interface CommandLine {
  readonly pid: number
  readonly line: string
}

/** The pids of the processes, of all users, that have `text`, such as the path of a folder, in their command line. */
export const processesNaming = async (text: string): Promise<number[]> => {
  const all = process.platform === 'linux' ? await linuxCommandLines() : await portableCommandLines()
  return all.flatMap(({ pid, line }) => (line.includes(text) && pid !== process.pid ? [pid] : []))
}

const linuxCommandLines = async (): Promise<CommandLine[]> =>
  Promise.all(
    (await linuxPids()).map(async pid => ({ pid, line: (await linuxCommand(pid)).replaceAll('\0', ' ') })),
  )

const portableCommandLines = async (): Promise<CommandLine[]> =>
  (await ps(['-axww', '-o', 'pid=,command='])).split('\n').map(row => {
    const [pid = '', ...words] = row.trim().split(' ')
    return { pid: Number(pid), line: words.join(' ') }
  })

/** The words of a command line, each terminated by a zero byte; empty if the process has exited. */
const linuxCommand = (pid: number): Promise<string> =>
  readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')

/** A short name for a process. A JVM has the name of its main class, because every JVM's program is `java`. */
export const nameOf = async (pid: number): Promise<string> => {
  const words =
    process.platform === 'linux'
      ? (await linuxCommand(pid)).split('\0')
      : (await ps(['-o', 'command=', '-p', String(pid)])).split(' ')
  const program = words[0]?.split('/').at(-1) ?? ''
  if (program !== 'java') return program || 'unknown'
  const mainClass = words.slice(1).find(word => /^([a-z_]\w*\.)+[A-Z]\w*$/.test(word))
  return mainClass === undefined ? 'java' : `java ${mainClass.split('.').at(-1)}`
}
