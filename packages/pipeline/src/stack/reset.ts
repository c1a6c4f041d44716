import { lstat, mkdir, mkdtemp, readdir, rename, rm, rmdir, unlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import {
  daemonResponds,
  isOver,
  isRunning,
  lockDaemon,
  messageOf,
  OffstreamError,
  orphanedServices,
  readState,
  ServiceRecords,
  sizeOf,
  writeState,
} from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'
import { type Directories, directoriesOf, folderOfNumber, otherStackFolders } from '../project/directories.ts'

/** The parts of a stack that the user can choose to delete. */
export const resetChoices = ['table', 'checkpoint', 'topic', 'all'] as const
/** One of `resetChoices`. */
export type ResetChoice = (typeof resetChoices)[number]

/** Files and folders that are deleted together. */
export interface ResetItem {
  readonly name: ResetPart
  /** For the user. */
  readonly what: string
  /** The existing ones, relative to the state folder. */
  readonly paths: readonly string[]
  /** Size on the disk. */
  readonly bytes: number
}

/** What a reset deletes. */
export interface ResetPlan {
  /** The state folder of the stack. */
  readonly state: string
  /** Empty if none of the selected parts exists. */
  readonly items: readonly ResetItem[]
}

type ResetPart = 'checkpoint' | 'jobCheckpoints' | 'topic' | 'table' | 'rest'

/**
 * The parts that each choice deletes. The checkpoint can be deleted alone: the stream reads the topic again, and merging
 * the same messages again changes nothing. It is deleted with the topic, whose offsets start at zero again, and with the
 * table, whose rows would otherwise never be written again. So are the checkpoints of jobs of the user, but not with the
 * checkpoint alone: such a job may append the same rows again. The journals of scrapes are deleted with the topic: a scrape
 * would not fetch those products again.
 */
const partsOf: Readonly<Record<ResetChoice, readonly ResetPart[]>> = {
  checkpoint: ['checkpoint'],
  table: ['checkpoint', 'jobCheckpoints', 'table'],
  topic: ['checkpoint', 'jobCheckpoints', 'topic'],
  all: ['checkpoint', 'jobCheckpoints', 'topic', 'table', 'rest'],
}

const descriptions: Readonly<Record<ResetPart, string>> = {
  checkpoint: 'the position of the job in the topic',
  jobCheckpoints: 'the checkpoints of your own jobs',
  topic: 'data of Kafka and ZooKeeper, and journals of scrapes',
  table: 'the tables, and their catalog',
  rest: 'logs, work folders, and state of the services',
}

/** Folders in the state folder that a reset does not delete: other stacks, and the trash of a reset. */
const excluded = [...otherStackFolders, 'trash']

/** What a reset would delete, and its size. */
export const planReset = async (state: string, choices: readonly ResetChoice[]): Promise<ResetPlan> => {
  const parts = new Set(choices.flatMap(choice => partsOf[choice]))
  const owned = await pathsOf(directoriesOf(state))
  const items = await Promise.all(
    owned
      .filter(({ name }) => parts.has(name))
      .map(async ({ name, paths }) => {
        // Kafka makes its index files 10 MB long and writes a few bytes into them: their length says little.
        const sizes = await Promise.all(paths.map(path => sizeOf(join(state, path), 'disk')))
        const existing = paths.filter((_, index) => sizes[index] !== null)
        const bytes = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
        return { name, what: descriptions[name], paths: existing, bytes }
      }),
  )
  return { state, items: items.filter(({ paths }) => paths.length > 0) }
}

/**
 * Deletes the chosen parts of a stack, all or nothing, also if this process is killed: it writes the plan, moves everything
 * to the trash, then deletes it. The next reset or start completes an interrupted one.
 *
 * @returns what was deleted
 * @throws OffstreamError SERVICES_RUNNING, STACK_BUSY, RESET_REFUSED; then nothing is deleted
 */
export const resetStack = async (state: string, choices: readonly ResetChoice[]): Promise<ResetPlan> => {
  if (!(await exists(state))) return { state, items: [] }
  return await whileStopped(state, async () => {
    await completeMoves(state)
    const plan = await planReset(state, choices)
    if (plan.items.length > 0) await moveToTrash(state, await writePlan(plan))
    await emptyTrash(state)
    return plan
  })
}

/**
 * Completes a reset that was killed, so that no service starts with half of the data. Does nothing if services run: their
 * start has completed it.
 */
export const finishReset = async (state: string): Promise<void> => {
  if (!(await exists(trashOf(state)))) return
  await whileStopped(state, async () => {
    await completeMoves(state)
    await emptyTrash(state)
  }).catch(error => {
    if (!(error instanceof OffstreamError && error.code === 'SERVICES_RUNNING')) throw error
  })
}

/** The services of a stack that were started and not stopped, without those that have failed or completed. */
export const requestedServices = async (state: string): Promise<readonly string[]> => {
  const { records: directory } = directoriesOf(state)
  const records = await new ServiceRecords(directory).all()
  const isRequested = await Promise.all(
    records.map(async record => !isOver(record.phase) || (await isRunning(record))),
  )
  const orphaned = (await orphanedServices(directory)).map(({ name }) => name)
  return [...records.filter((_, index) => isRequested[index]).map(({ name }) => name), ...orphaned]
}

const pathsOf = async (
  directories: Directories,
): Promise<readonly { readonly name: ResetPart; readonly paths: readonly string[] }[]> => {
  const {
    state,
    run,
    checkpoint,
    jobCheckpoints,
    streamProgress,
    streamBatches,
    kafkaData,
    zookeeperData,
    kraftData,
    fetched,
    warehouse,
  } = directories
  const below = (...paths: string[]) => paths.map(path => relative(state, path))
  const owned = [
    { name: 'checkpoint' as const, paths: below(checkpoint, streamProgress, streamBatches) },
    { name: 'jobCheckpoints' as const, paths: below(jobCheckpoints) },
    {
      name: 'topic' as const,
      paths: below(
        ...[kafkaData, kraftData].flatMap(first => [1, 2, 3].map(id => folderOfNumber(first, id))),
        ...[zookeeperData, fetched, join(state, 'crawl')],
      ),
    },
    { name: 'table' as const, paths: below(warehouse) },
  ]
  const named = owned.flatMap(({ paths }) => paths)
  const rest = [state, join(state, 'data'), dirname(checkpoint), run].map(async folder => {
    const entries = await readdir(folder).catch(() => [])
    return entries.map(entry => relative(state, join(folder, entry)))
  })
  const others = (await Promise.all(rest)).flat().filter(
    path =>
      path !== relative(state, lockOf(run)) &&
      !excluded.includes(path) &&
      // Neither the paths above nor the folders that contain them.
      !named.some(known => known === path || known.startsWith(`${path}/`)),
  )
  return [...owned, { name: 'rest', paths: others }]
}

const trashOf = (state: string): string => join(state, 'trash')
const planIn = (trash: string): string => join(trash, 'plan.json')
/** While this file is locked, no daemon can be started. */
const lockOf = (run: string): string => join(run, 'daemon.lock')

const WrittenPlan = z.object({ paths: z.array(z.string()) })

/** Does `work` while no part of the stack runs or can be started. */
const whileStopped = async <T>(state: string, work: () => Promise<T>): Promise<T> => {
  const { run } = directoriesOf(state)
  await mkdir(run, { recursive: true, mode: 0o700 })
  try {
    await using _ = await lockDaemon(run)
    const requested = await requestedServices(state)
    if (requested.length > 0 || (await daemonResponds(run))) throw notStopped(requested)
    return await work()
  } finally {
    await removeIfEmpty(run)
  }
}

/** Writes the plan to a new folder in the trash. @returns the folder */
const writePlan = async ({ state, items }: ResetPlan): Promise<string> => {
  await mkdir(trashOf(state), { recursive: true, mode: 0o700 })
  const trash = await mkdtemp(join(trashOf(state), 'reset-'))
  await writeState(planIn(trash), { paths: items.flatMap(({ paths }) => paths) }, { durable: true })
  return trash
}

/** Moves every path of the plan in the folder `trash` to that folder; if one cannot be moved, moves all of them back. */
const moveToTrash = async (state: string, trash: string): Promise<void> => {
  const paths = (await readState(planIn(trash), WrittenPlan))?.paths ?? []
  for (const path of paths) {
    const [from, to] = [join(state, path), join(trash, path)]
    // If a killed reset has moved it already, the present file is new.
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
  // Without the plan, the folder only has to be deleted.
  await unlink(planIn(trash))
}

/** Completes the moves of a killed reset. */
const completeMoves = async (state: string): Promise<void> => {
  for (const name of await readdir(trashOf(state)).catch(() => [])) {
    const trash = join(trashOf(state), name)
    if (await exists(planIn(trash))) await moveToTrash(state, trash)
  }
}

const emptyTrash = async (state: string): Promise<void> => {
  const { kafkaData, checkpoint } = directoriesOf(state)
  await rm(trashOf(state), { recursive: true, force: true, maxRetries: 3 })
  for (const parent of [dirname(kafkaData), dirname(checkpoint)]) await removeIfEmpty(parent)
}

const removeIfEmpty = (directory: string): Promise<void> => rmdir(directory).catch(() => undefined)

const exists = async (path: string): Promise<boolean> => (await lstat(path).catch(() => null)) !== null

const notStopped = (requested: readonly string[]): OffstreamError =>
  new PipelineError(
    'SERVICES_RUNNING',
    requested.length === 0
      ? 'The services of this stack are starting'
      : `Services of this stack were not stopped: ${requested.join(', ')}`,
    { hint: 'stop them with `offstream down`, then try again' },
  )

const refused = (path: string, cause: unknown): OffstreamError =>
  new PipelineError(
    'RESET_REFUSED',
    `\`${path}\` cannot be moved, so nothing was deleted: ${messageOf(cause)}`,
    {
      hint: 'if it is a mount point, or belongs to another user, empty it by hand',
      cause,
    },
  )
