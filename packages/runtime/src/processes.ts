import { readdir, readFile, readlink } from 'node:fs/promises'

/**
 * Which process a pid means. Pids are used again, so a pid alone proves nothing: the moment the process began tells
 * two bearers of a pid apart, across reboots too.
 */
export interface ProcessIdentity {
  readonly pid: number
  /** Opaque; equal only for the same process. */
  readonly startId: string
}

/** A process as the person should see it: who holds the port, who was left over. */
export interface ProcessSummary {
  readonly pid: number
  readonly name: string
}

/** Who bears `pid` now; null where nobody does. A zombie counts as nobody: it can neither serve nor be ended. */
export const identify = async (pid: number): Promise<ProcessIdentity | null> => {
  const startId = process.platform === 'linux' ? await linuxStartId(pid) : await portableStartId(pid)
  return startId === null ? null : { pid, startId }
}

/** Whether the process that `identity` was taken from still runs. */
export const isAlive = async (identity: ProcessIdentity): Promise<boolean> =>
  (await identify(identity.pid))?.startId === identity.startId

const linuxStartId = async (pid: number): Promise<string | null> => {
  const stat = await statFields(pid)
  if (stat === null || stat.state === 'Z' || stat.state === 'X') return null
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')
  return `${boot.trim()}/${stat.startTicks}`
}

const portableStartId = async (pid: number): Promise<string | null> => {
  const { execa } = await import('execa')
  const { stdout, exitCode } = await execa('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
    reject: false,
  })
  const [state, ...start] = stdout.trim().split(/\s+/)
  return exitCode !== 0 || state === undefined || state.startsWith('Z') ? null : start.join(' ')
}

interface StatFields {
  readonly state: string
  readonly group: string
  readonly startTicks: string
}

/** @see proc_pid_stat(5): the name stands in parentheses and may itself hold any character. */
const statFields = async (pid: number): Promise<StatFields | null> => {
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (line === null) return null
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', group: fields[2] ?? '', startTicks: fields[19] ?? '' }
}

const linuxPids = async (): Promise<number[]> =>
  (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)

/** A process that bears a mark in its environment. */
export interface MarkedProcess {
  readonly pid: number
  /** The value of the variable. */
  readonly mark: string
  /** Whether it leads its process group: then it is what was started, and not a child of that. */
  readonly leads: boolean
}

/**
 * Living processes that were started with the variable `name` in their environment: the mark by which what we started
 * is known to be ours, also where nobody wrote its pid down, and children that outlive their parent.
 */
export const markedProcesses = async (name: string): Promise<MarkedProcess[]> => {
  if (process.platform === 'linux') {
    const found = await Promise.all((await linuxPids()).map(pid => linuxMarked(pid, name)))
    return found.filter(one => one !== null)
  }
  const { execa } = await import('execa')
  // Without `ww` the environment is cut off where a terminal would end.
  const { stdout } = await execa('ps', ['-axEww', '-o', 'pid=,pgid=,stat=,command='], { reject: false })
  const marked = new RegExp(`\\s${name}=(\\S+)`)
  return stdout.split('\n').flatMap(line => {
    const [pid = '', group, state] = line.trim().split(/\s+/, 3)
    const mark = marked.exec(line)?.[1]
    if (mark === undefined || state?.startsWith('Z')) return []
    return [{ pid: Number(pid), mark, leads: pid === group }]
  })
}

/** A zombie has no environment any more, and one of another user shows none. */
const linuxMarked = async (pid: number, name: string): Promise<MarkedProcess | null> => {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')
  const variable = environment.split('\0').find(one => one.startsWith(`${name}=`))
  if (variable === undefined) return null
  const group = (await statFields(pid))?.group
  return group === undefined
    ? null
    : { pid, mark: variable.slice(name.length + 1), leads: group === String(pid) }
}

/** The process group of a process; null where there is no such process. */
export const groupOf = async (pid: number): Promise<number | null> => {
  if (process.platform === 'linux') return Number((await statFields(pid))?.group) || null
  const { execa } = await import('execa')
  const { stdout } = await execa('ps', ['-o', 'pgid=', '-p', String(pid)], { reject: false })
  return Number(stdout.trim()) || null
}

/** Sends `signal` to a process, or, with a negative number, to a process group; being gone already is fine. */
export const send = (target: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(target, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * Who listens on TCP port `port` of this machine; null where nobody does, and a pid of 0 where somebody does whom
 * we may not see (another user's process).
 */
export const listenerOn = async (port: number): Promise<ProcessSummary | null> =>
  process.platform === 'linux' ? linuxListener(port) : portableListener(port)

/** @see proc(5), /proc/net/tcp: local address and state in hexadecimal (0A = LISTEN), the socket's inode tenth. */
const linuxListener = async (port: number): Promise<ProcessSummary | null> => {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map(file => readFile(file, 'utf8').catch(() => '')),
  )
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const inodes = tables.flatMap(table =>
    table.split('\n').flatMap(line => {
      const fields = line.trim().split(/\s+/)
      return fields[1]?.endsWith(suffix) && fields[3] === '0A' && fields[9] !== undefined ? [fields[9]] : []
    }),
  )
  if (inodes.length === 0) return null
  const sockets = new Set(inodes.map(inode => `socket:[${inode}]`))
  for (const pid of await linuxPids()) {
    if (await holdsAny(pid, sockets)) return { pid, name: await nameOf(pid) }
  }
  return { pid: 0, name: 'a process of another user' }
}

const holdsAny = async (pid: number, sockets: ReadonlySet<string>): Promise<boolean> => {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')
    if (sockets.has(target)) return true
  }
  return false
}

const portableListener = async (port: number): Promise<ProcessSummary | null> => {
  const { execa } = await import('execa')
  const { stdout } = await execa('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], { reject: false })
  const pid = /^p(\d+)$/m.exec(stdout)?.[1]
  return pid === undefined ? null : { pid: Number(pid), name: await nameOf(Number(pid)) }
}

/**
 * A short name for a process: what a person would call it. A JVM is called by its main class, since every second
 * service of a data stack is named `java`.
 */
const nameOf = async (pid: number): Promise<string> => {
  const words =
    process.platform === 'linux'
      ? (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
      : (await portableCommand(pid)).split(' ')
  const program = words[0]?.split('/').at(-1) ?? ''
  if (program !== 'java') return program || 'unknown'
  const mainClass = words.slice(1).find(word => /^([a-z_]\w*\.)+[A-Z]\w*$/.test(word))
  return mainClass === undefined ? 'java' : `java ${mainClass.split('.').at(-1)}`
}

const portableCommand = async (pid: number): Promise<string> => {
  const { execa } = await import('execa')
  return (await execa('ps', ['-o', 'command=', '-p', String(pid)], { reject: false })).stdout
}
