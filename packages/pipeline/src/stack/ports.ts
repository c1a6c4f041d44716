import { portHolder } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { numberAt, portPaths } from '../project/paths.ts'

/** The search for a free port ends this many ports above the configured one. */
const maxDistance = 500

/**
 * Settings (`kafka.port=9093`) that replace each port that is taken by the next free one.
 * @param ours pids whose ports count as free
 */
export const freePorts = async (config: Config, ours: ReadonlySet<number>): Promise<string[]> => {
  const configured = portPaths.map(path => numberAt(config, path))
  const chosen = new Set<number>()
  const changed: string[] = []
  for (const path of portPaths.filter(path => !externalPorts(config).includes(path))) {
    const configuredPort = numberAt(config, path)
    const port = (await isFree(configuredPort, config.host, ours))
      ? configuredPort
      : await nextFree(configuredPort, config.host, new Set([...configured, ...chosen]), ours)
    chosen.add(port)
    if (port !== configuredPort) changed.push(`${path}=${port}`)
  }
  return changed
}

/** The settings of ports on which existing services listen, perhaps on this machine. */
const externalPorts = ({ spark, thrift }: Config): readonly string[] => [
  ...(spark.master === null ? [] : ['spark.webPort']),
  ...(thrift.host === null ? [] : ['thrift.port']),
]

/** Whether a job can listen on this port now. */
export const isFreePort = (config: Config, port: number): Promise<boolean> =>
  isFree(port, config.host, new Set())

/** A port for the Spark UI of a job: the next free one above that of the product job. */
export const nextJobPort = (config: Config, ofOtherJobs: readonly number[]): Promise<number> => {
  const configured = portPaths.map(path => numberAt(config, path))
  return nextFree(config.stream.webPort, config.host, new Set([...configured, ...ofOtherJobs]), new Set())
}

const nextFree = async (
  after: number,
  host: string,
  excluded: ReadonlySet<number>,
  ours: ReadonlySet<number>,
): Promise<number> => {
  for (let port = after + 1; port <= Math.min(after + maxDistance, 65_535); port += 1)
    if (!excluded.has(port) && (await isFree(port, host, ours))) return port
  return after
}

const isFree = async (port: number, host: string, ours: ReadonlySet<number>): Promise<boolean> => {
  const holder = await portHolder(port, host)
  return holder === null || ours.has(holder.pid)
}
