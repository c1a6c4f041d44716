import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import {
  daemonResponds,
  isRunning,
  lockDaemon,
  messageOf,
  OffstreamError,
  orphanedServices,
  readState,
  ServiceRecords,
  writeState,
} from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'
import { type Directories, directoriesOf } from '../project/directories.ts'

/** What a person can ask to have wiped. */
export const resetChoices = ['table', 'checkpoint', 'topic', 'all'] as const
export type ResetChoice = (typeof resetChoices)[number]

/** Files and folders that make sense together only, and go together. */
export interface ResetItem {
  readonly name: ResetPart
  /** In words, for the person. */
  readonly what: string
  /** Those that exist, below the state folder. */
  readonly paths: readonly string[]
  /** On the disk. */
  readonly bytes: number
}

export interface ResetPlan {
  readonly state: string
  /** Empty where nothing of what was asked for is there. */
  readonly items: readonly ResetItem[]
}

type ResetPart = 'checkpoint' | 'topic' | 'table' | 'rest'

/**
 * What goes with what. The checkpoint alone may go: the topic is read anew, and merging the same messages again changes
 * nothing. It goes with the topic, whose positions begin at zero again, and with the table, whose rows would else
 * never come again. What producers remember goes with the topic: they would not fetch again what is no longer there.
 */
const partsOf: Readonly<Record<ResetChoice, readonly ResetPart[]>> = {
  checkpoint: ['checkpoint'],
  table: ['checkpoint', 'table'],
  topic: ['checkpoint', 'topic'],
  all: ['checkpoint', 'topic', 'table', 'rest'],
}

const words: Readonly<Record<ResetPart, string>> = {
  checkpoint: 'how far the job has read the topic',
  topic: 'Kafka’s and ZooKeeper’s data, and what scrapes remember',
  table: 'the tables of products, and their catalog',
  rest: 'logs, work folders, and what is known of the services',
}

/** Below the state folder, never wiped as a part of it: other stacks, and what is being wiped already. */
const kept = ['stacks', 'trash']

/** What would be wiped, and how much it is; touches nothing. */
export const planReset = async (state: string, choices: readonly ResetChoice[]): Promise<ResetPlan> => {
  const parts = new Set(choices.flatMap(choice => partsOf[choice]))
  const owned = await pathsOf(directoriesOf(state))
  const items = await Promise.all(
    owned
      .filter(({ name }) => parts.has(name))
      .map(async ({ name, paths }) => {
        const sizes = await Promise.all(paths.map(path => bytesOf(join(state, path))))
        const there = paths.filter((_, index) => sizes[index] !== null)
        const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
        return { name, what: words[name], paths: there, bytes }
      }),
  )
  return { state, items: items.filter(({ paths }) => paths.length > 0) }
}

/**
 * Wipes it: all or nothing, also where this process is killed in the middle. First the plan is written down, then
 * everything is moved aside, then deleted; what a kill leaves undone, the next reset or start does.
 *
 * @returns what was wiped
 * @throws OffstreamError SERVICES_RUNNING, STACK_BUSY, RESET_REFUSED; then nothing is wiped
 */
export const wipe = async (state: string, choices: readonly ResetChoice[]): Promise<ResetPlan> => {
  if (!(await exists(state))) return { state, items: [] }
  return await whileStopped(state, async () => {
    await settle(state)
    const plan = await planReset(state, choices)
    if (plan.items.length > 0) await moveAside(state, await writeDown(plan))
    await emptyTrash(state)
    return plan
  })
}

/**
 * Ends what a killed reset had begun, so that nothing is started on half of it. Does nothing where something runs:
 * whoever started that has come here first.
 */
export const finishReset = async (state: string): Promise<void> => {
  if (!(await exists(trashOf(state)))) return
  await whileStopped(state, async () => {
    await settle(state)
    await emptyTrash(state)
  }).catch(error => {
    if (!(error instanceof OffstreamError && error.code === 'SERVICES_RUNNING')) throw error
  })
}

/** The services of a stack that were started and not ended; those given up at their start don't count. */
export const requestedServices = async (state: string): Promise<readonly string[]> => {
  const { records: directory } = directoriesOf(state)
  const records = await new ServiceRecords(directory).all()
  const wanted = await Promise.all(
    records.map(async record => record.phase !== 'failed' || (await isRunning(record))),
  )
  const strays = (await orphanedServices(directory)).map(({ name }) => name)
  return [...records.filter((_, index) => wanted[index]).map(({ name }) => name), ...strays]
}

const pathsOf = async (
  directories: Directories,
): Promise<readonly { readonly name: ResetPart; readonly paths: readonly string[] }[]> => {
  const { state, run, checkpoint, streamProgress, kafkaData, zookeeperData, fetched, warehouse } = directories
  const below = (...paths: string[]) => paths.map(path => relative(state, path))
  const owned = [
    { name: 'checkpoint' as const, paths: below(checkpoint, streamProgress) },
    { name: 'topic' as const, paths: below(kafkaData, zookeeperData, fetched, join(state, 'crawl')) },
    { name: 'table' as const, paths: below(warehouse) },
  ]
  const taken = owned.flatMap(({ paths }) => paths)
  const rest = [state, join(state, 'data'), dirname(checkpoint), run].map(async folder => {
    const entries = await readdir(folder).catch(() => [])
    return entries.map(entry => relative(state, join(folder, entry)))
  })
  const others = (await Promise.all(rest)).flat().filter(
    path =>
      path !== relative(state, lockOf(run)) &&
      !kept.includes(path) &&
      // Not what is named above, nor the folders around it.
      !taken.some(known => known === path || known.startsWith(`${path}/`)),
  )
  return [...owned, { name: 'rest', paths: others }]
}

/** What a file or folder takes on the disk; null where there is none. */
const bytesOf = async (path: string): Promise<number | null> => {
  const stats = await lstat(path).catch(() => null)
  if (stats === null) return null
  // Kafka makes its index files 10 MB long and writes a few bytes into them: blocks tell what is there.
  const own = stats.blocks * 512
  if (!stats.isDirectory()) return own
  let sum = own
  for (const entry of await readdir(path).catch(() => [])) sum += (await bytesOf(join(path, entry))) ?? 0
  return sum
}

const trashOf = (state: string): string => join(state, 'trash')
const planIn = (trash: string): string => join(trash, 'plan.json')
/** The lock that whoever starts a daemon takes: while we hold it, none is started. */
const lockOf = (run: string): string => join(run, 'daemon.lock')

const WrittenPlan = z.object({ paths: z.array(z.string()) })

/** Does `work` while nothing of the stack runs, nor can be started. */
const whileStopped = async <T>(state: string, work: () => Promise<T>): Promise<T> => {
  const { run } = directoriesOf(state)
  await mkdir(run, { recursive: true, mode: 0o700 })
  try {
    await using _ = await lockDaemon(run)
    const wanted = await requestedServices(state)
    if (wanted.length > 0 || (await daemonResponds(run))) throw notStopped(wanted)
    return await work()
  } finally {
    await removeIfEmpty(run)
  }
}

/** Writes the plan into a new folder of the trash. @returns the folder */
const writeDown = async ({ state, items }: ResetPlan): Promise<string> => {
  await mkdir(trashOf(state), { recursive: true, mode: 0o700 })
  const trash = await mkdtemp(join(trashOf(state), 'reset-'))
  await writeState(planIn(trash), { paths: items.flatMap(({ paths }) => paths) }, { durable: true })
  return trash
}

/** Moves everything aside that the plan in the folder `trash` names, or, where one can't be moved, nothing. */
const moveAside = async (state: string, trash: string): Promise<void> => {
  const paths = (await readState(planIn(trash), WrittenPlan))?.paths ?? []
  for (const path of paths) {
    const [from, to] = [join(state, path), join(trash, path)]
    // Where a killed reset has moved it already, what is there now is new.
    if ((await exists(to)) || !(await exists(from))) continue
    try {
      await mkdir(dirname(to), { recursive: true })
      await rename(from, to)
    } catch (error) {
      for (const moved of paths)
        if (await exists(join(trash, moved))) await rename(join(trash, moved), join(state, moved))
      await rm(trash, { recursive: true })
      throw refused(from, error)
    }
  }
  // From here on it is nothing but trash.
  await unlink(planIn(trash))
}

/** Ends the moves that a killed reset had planned. */
const settle = async (state: string): Promise<void> => {
  for (const name of await readdir(trashOf(state)).catch(() => [])) {
    const trash = join(trashOf(state), name)
    if (await exists(planIn(trash))) await moveAside(state, trash)
  }
}

const emptyTrash = async (state: string): Promise<void> => {
  const { kafkaData, checkpoint } = directoriesOf(state)
  await rm(trashOf(state), { recursive: true, force: true, maxRetries: 3 })
  for (const around of [dirname(kafkaData), dirname(checkpoint)]) await removeIfEmpty(around)
}

const removeIfEmpty = (directory: string): Promise<void> => rmdir(directory).catch(() => undefined)

const exists = async (path: string): Promise<boolean> => (await lstat(path).catch(() => null)) !== null

const notStopped = (wanted: readonly string[]): OffstreamError =>
  new PipelineError(
    'SERVICES_RUNNING',
    wanted.length === 0
      ? 'The services of this stack are being started'
      : `Services of this stack were not ended: ${wanted.join(', ')}`,
    { hint: 'end them with `offstream down`, then try again' },
  )

const refused = (path: string, cause: unknown): OffstreamError =>
  new PipelineError(
    'RESET_REFUSED',
    `\`${path}\` can't be moved, so nothing was wiped: ${messageOf(cause)}`,
    {
      hint: 'a mount point or a folder of another user has to be emptied by hand',
      cause,
    },
  )
