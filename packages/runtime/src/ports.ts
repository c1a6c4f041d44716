import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { readdir, readFile, readlink } from 'node:fs/promises'
import { createServer, isIPv4 } from 'node:net'
import { linuxPids, nameOf, type ProcessSummary } from './processes.ts'
import { pause } from './until.ts'

/** Another process that probes the same port, as we do, has it for a moment: only a port that stays taken is taken. */
const attempts = 3
const maxPauseMs = 50

/**
 * The process that prevents a program from listening on a port; null if the port is free. A listener on another address of this
 * machine does not count. The pid is 0 if the holder is another user's process.
 * @param host the address that the program binds; without it, every address
 */
export const portHolder = async (port: number, host?: string): Promise<ProcessSummary | null> => {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    if (await canBind(port, host)) return null
    // Random, so that two that probe at the same time do not meet again.
    await pause(Math.random() * maxPauseMs)
  }
  return (await listenerOn(port, host)) ?? (await listenerOn(port)) ?? unknownHolder
}

const unknownHolder: ProcessSummary = { pid: 0, name: 'a process of another user' }

const canBind = async (port: number, host: string | undefined): Promise<boolean> => {
  // Elsewhere than on Linux a program can bind one address while another one listens on all of them.
  const hosts = process.platform === 'linux' || host === undefined ? [host] : [host, '0.0.0.0', '::']
  for (const one of hosts) if (!(await canBindAddress(port, one))) return false
  return true
}

/** Any other error than a taken port (no such address, no permission) is for the program itself to report. */
const canBindAddress = async (port: number, host: string | undefined): Promise<boolean> => {
  const server = createServer()
  try {
    server.listen({ port, exclusive: true, ...(host === undefined ? {} : { host }) })
    await once(server, 'listening')
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EADDRINUSE'
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

/**
 * The process that listens on a TCP port of this machine; null if no process does. The pid is 0 if it is another user's.
 * @param host counts only listeners that receive connections to this address
 * @param expected a process that probably listens: it is checked first, which is much faster than a search of all
 */
export const listenerOn = async (
  port: number,
  host?: string,
  expected: number | null = null,
): Promise<ProcessSummary | null> =>
  process.platform === 'linux' ? linuxListener(port, host, expected) : portableListener(port)

/** @see proc(5), /proc/net/tcp: local address and state in hexadecimal (0A = LISTEN), the socket's inode tenth. */
const linuxListener = async (
  port: number,
  host: string | undefined,
  expected: number | null,
): Promise<ProcessSummary | null> => {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map(file => readFile(file, 'utf8').catch(() => '')),
  )
  const portInHex = port.toString(16).toUpperCase().padStart(4, '0')
  const addresses = host === undefined ? null : await addressesInHex(host)
  const inodes = tables.flatMap(table =>
    table.split('\n').flatMap(line => {
      const fields = line.trim().split(/\s+/)
      const [address = '', localPort] = fields[1]?.split(':') ?? []
      const matches = localPort === portInHex && (addresses === null || addresses.has(address))
      return matches && fields[3] === '0A' && fields[9] !== undefined ? [fields[9]] : []
    }),
  )
  if (inodes.length === 0) return null
  const sockets = new Set(inodes.map(inode => `socket:[${inode}]`))
  if (expected !== null && (await hasAnyOpen(expected, sockets)))
    return { pid: expected, name: await nameOf(expected) }
  for (const pid of await linuxPids()) {
    if (await hasAnyOpen(pid, sockets)) return { pid, name: await nameOf(pid) }
  }
  return unknownHolder
}

/** The addresses whose listeners receive connections to `host`, in the form of /proc/net/tcp: its own and the wildcards. */
const addressesInHex = async (host: string): Promise<ReadonlySet<string>> => {
  const resolved = await lookup(host, { all: true }).catch(() => [])
  const own = resolved.flatMap(({ address }) => {
    if (!isIPv4(address)) return []
    const hex = address
      .split('.')
      .reverse()
      .map(byte => Number(byte).toString(16).toUpperCase().padStart(2, '0'))
      .join('')
    // A program that uses IPv6 sockets, such as a JVM, binds the mapped address.
    return [hex, `0000000000000000FFFF0000${hex}`]
  })
  const ipv6 = resolved.some(({ address }) => address === '::1') ? ['00000000000000000000000001000000'] : []
  return new Set([...own, ...ipv6, '0'.repeat(8), '0'.repeat(32)])
}

const hasAnyOpen = async (pid: number, sockets: ReadonlySet<string>): Promise<boolean> => {
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
