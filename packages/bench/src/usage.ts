import { execa } from 'execa'

/** The processor time and resident memory of processes. */
export interface Usage {
  readonly cpuSeconds: number
  readonly megabytes: number
}

/** The usage of all processes that have the folder on their command line, and of their descendants. */
export const usageOf = async (folder: string): Promise<Usage> => {
  const { stdout } = await execa('ps', ['-axwwo', 'pid=,ppid=,cputimes=,rss=,args='])
  const all = stdout.split('\n').flatMap(line => {
    const [, pid, parent, cpuSeconds, kilobytes, command = ''] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? []
    if (Number(pid) === process.pid || pid === undefined) return []
    return [{ pid, parent, cpuSeconds: Number(cpuSeconds), megabytes: Number(kilobytes) / 1_024, command }]
  })
  let counted = all.filter(({ command }) => command.includes(folder))
  for (;;) {
    const pids = new Set(counted.map(({ pid }) => pid))
    const more = all.filter(({ pid, parent }) => !pids.has(pid) && pids.has(parent ?? ''))
    if (more.length === 0) break
    counted = [...counted, ...more]
  }
  const sum = (of: (process: Usage) => number) => counted.reduce((total, each) => total + of(each), 0)
  return { cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds), megabytes: sum(({ megabytes }) => megabytes) }
}
