import { readFile, rm, writeFile } from 'node:fs/promises'
import { identify, isAlive } from '@offstream/runtime'
import lockfile from 'proper-lockfile'
import { z } from 'zod'

/** Either it is ours until `release`, or somebody else's who lives. */
export type Hold =
  | { readonly kind: 'ours'; readonly release: () => Promise<void> }
  | { readonly kind: 'taken'; readonly pid: number }

const Holder = z.object({ version: z.literal(1), pid: z.number().int(), began: z.string() })

/**
 * Makes this process the holder of what `file` stands for, unless another one that lives is. Who was killed holds
 * nothing any more from that moment on: a holder is known by its pid and the moment when it began. A lock that has to
 * be touched again and again (`proper-lockfile` alone) would keep a killed scrape from going on for ten seconds; here
 * it guards the look into the file, which takes milliseconds.
 */
export const hold = async (file: string): Promise<Hold> => {
  const release = await lockfile.lock(file, {
    realpath: false,
    // Longer than a guard counts whose owner was killed in just these milliseconds.
    retries: { retries: 80, minTimeout: 20, maxTimeout: 200 },
  })
  try {
    const holder = await readHolder(file)
    if (holder !== null && (await isAlive(holder))) return { kind: 'taken', pid: holder.pid }
    const own = await identify(process.pid)
    if (own === null) throw new Error('this process does not find itself')
    await writeFile(file, `${JSON.stringify({ version: 1, ...own })}\n`, { mode: 0o600 })
    return { kind: 'ours', release: () => rm(file, { force: true }) }
  } finally {
    await release()
  }
}

const readHolder = async (file: string): Promise<z.infer<typeof Holder> | null> => {
  const text = await readFile(file, 'utf8').catch(() => '')
  try {
    return Holder.parse(JSON.parse(text))
  } catch {
    // There is none, or it was killed while it wrote.
    return null
  }
}
