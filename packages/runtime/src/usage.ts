import { readFile } from 'node:fs/promises'
import { linuxPids, ps, statFields } from './processes.ts'

/** What the processes of a group use together. */
export interface GroupUsage {
  readonly memoryBytes: number
  /** Processor time since their start. */
  readonly cpuMs: number
}

/** The usage of process groups, such as those of services with their children, by the id of the group. */
export const usageOf = async (groups: readonly number[]): Promise<ReadonlyMap<number, GroupUsage>> => {
  const processes = process.platform === 'linux' ? await linuxUsage(groups) : await portableUsage()
  const sums = new Map<number, GroupUsage>()
  for (const { group, memoryBytes, cpuMs } of processes) {
    if (!groups.includes(group)) continue
    const sum = sums.get(group) ?? { memoryBytes: 0, cpuMs: 0 }
    sums.set(group, { memoryBytes: sum.memoryBytes + memoryBytes, cpuMs: sum.cpuMs + cpuMs })
  }
  return sums
}

type ProcessUsage = GroupUsage & { readonly group: number }

/** The kernel reports processor time in this unit on every architecture that Node supports. */
const tickMs = 10

const linuxUsage = async (groups: readonly number[]): Promise<ProcessUsage[]> => {
  const found = await Promise.all(
    (await linuxPids()).map(async pid => {
      const stat = await statFields(pid)
      if (stat === null || !groups.includes(Number(stat.group))) return null
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      const memoryBytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
      return { group: Number(stat.group), memoryBytes, cpuMs: stat.ticks * tickMs }
    }),
  )
  return found.filter(one => one !== null)
}

const portableUsage = async (): Promise<ProcessUsage[]> => usageIn(await ps(['-A', '-o', 'pgid=,rss=,time=']))

/** @param lines of `ps -o pgid=,rss=,time=`; the time is `[[days-]hours:]minutes:seconds` */
export const usageIn = (lines: string): ProcessUsage[] =>
  lines.split('\n').flatMap(line => {
    const [group, kilobytes, time = ''] = line.trim().split(/\s+/)
    if (!group || !kilobytes) return []
    const [rest = '', days = '0'] = time.split('-').reverse()
    const seconds = rest.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
    const cpuMs = Math.round((Number(days) * 86_400 + seconds) * 1_000)
    return [{ group: Number(group), memoryBytes: Number(kilobytes) * 1024, cpuMs }]
  })
