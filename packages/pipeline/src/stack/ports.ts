import { listenerOn } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import { numberAt, portPaths } from '../project/paths.ts'

/** How far from the wished port a free one is looked for. */
const reach = 500

/**
 * Settings (`kafka.port=9093`) that give another port, the next free one, to each setting whose port is taken.
 * @param ours pids whose ports count as free
 */
export const freePorts = async (config: Config, ours: ReadonlySet<number>): Promise<string[]> => {
  const given = new Set<number>()
  const changed: string[] = []
  const wished = new Set(portPaths.map(path => numberAt(config, path)))
  for (const path of portPaths) {
    const wish = numberAt(config, path)
    const port = (await isFree(wish, ours))
      ? wish
      : await nextFree(wish, new Set([...wished, ...given]), ours)
    given.add(port)
    if (port !== wish) changed.push(`${path}=${port}`)
  }
  return changed
}

const nextFree = async (
  wish: number,
  taken: ReadonlySet<number>,
  ours: ReadonlySet<number>,
): Promise<number> => {
  for (let port = wish + 1; port <= Math.min(wish + reach, 65_535); port += 1)
    if (!taken.has(port) && (await isFree(port, ours))) return port
  return wish
}

const isFree = async (port: number, ours: ReadonlySet<number>): Promise<boolean> => {
  const holder = await listenerOn(port)
  return holder === null || ours.has(holder.pid)
}
