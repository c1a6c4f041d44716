import { createHash } from 'node:crypto'
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { acquireLock, type Lock, LockedError } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../../errors.ts'
import type { Acknowledgement } from '../../product/message.ts'
import type { ListedProduct } from './pages.ts'

/** Which journal to open. */
export interface JournalOptions {
  readonly directory: string
  /** The start address of the crawl. */
  readonly address: string
  /** The broker that receives the products. What one Kafka has acknowledged, another may not have. */
  readonly destination: string
  /** Start from the beginning, whatever an earlier crawl has done. */
  readonly fresh: boolean
}

const at = z.iso.datetime({ precision: 3 })
const Listed = z.object({ code: z.string(), address: z.string() })

/** A line of a journal. Members that a later version adds are ignored. */
export const JournalLine = z.discriminatedUnion('kind', [
  z.object({
    ...{ kind: z.literal('started'), version: z.literal(1) },
    ...{ address: z.string(), destination: z.string(), at },
  }),
  /** A page of the list was read: the products that it names, and the next page. */
  z.object({
    ...{ kind: z.literal('list'), address: z.string(), at },
    ...{ products: z.array(Listed), next: z.string().nullable() },
  }),
  /** Kafka has acknowledged a product or its delete: the page at `address` is not requested again. */
  z.object({
    ...{ kind: z.literal('acknowledged'), code: z.string(), address: z.string() },
    ...{ topic: z.string(), partition: z.number().int(), offset: z.number().int() },
    ...{ fetchedAt: at, acknowledgedAt: at },
  }),
  /** The crawl is finished: the next one starts from the beginning. */
  z.object({ kind: z.literal('finished'), at }),
])
/** A line of a journal; see the schema of the same name. */
export type JournalLine = z.infer<typeof JournalLine>

/** The products that a page of a list names, and the next page; null after the last. */
export interface ListContent {
  readonly products: readonly ListedProduct[]
  readonly next: string | null
}

/** What an unfinished crawl has done. */
export interface Before {
  readonly startedAt: Date
  /** How many products Kafka has acknowledged. */
  readonly acknowledged: number
  /** How many products the lists have named. */
  readonly listed: number
}

/** Older journals are deleted, because recipes and pages change. */
const maxAgeMs = 30 * 24 * 60 * 60 * 1000

/**
 * What one crawl has done, as JSON lines (`JournalLine`) in its own file: the pages of lists that it has read, and the
 * products and deletes that Kafka has acknowledged, with their offsets. A later crawl resumes it.
 *
 * A line is one `write`, right after the acknowledgement. A process that is killed between the two fetches that product
 * again. Without fsync, the last lines may be missing after a power failure. Damaged lines are ignored.
 */
export class Journal implements AsyncDisposable {
  /** null: this crawl starts from the beginning. */
  readonly before: Before | null
  /** Whether an earlier crawl of this address has found products. */
  readonly wasSource: boolean
  private readonly done: ReadonlySet<string>
  private readonly lists: ReadonlyMap<string, ListContent>
  private readonly file: number
  private readonly lock: Lock

  private constructor({ path, ...start }: Start) {
    this.before = start.before
    this.wasSource = start.wasSource
    this.done = start.done
    this.lists = start.lists
    this.lock = start.lock
    this.file = openSync(path, start.before === null ? 'w' : 'a', 0o600)
  }

  /**
   * Opens the journal of an unfinished crawl with the same address and destination, or replaces it by a new one. It is
   * locked until it is disposed.
   * @throws OffstreamError SCRAPE_RUNNING if another process has locked it
   */
  static readonly open = async ({
    directory,
    address,
    destination,
    fresh,
  }: JournalOptions): Promise<Journal> => {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const path = join(directory, `${nameOf(address, destination)}.jsonl`)
    const lock = await acquireLock(path.replace(/jsonl$/, 'holder'), { timeoutMs: 0 }).catch(error => {
      throw error instanceof LockedError ? running(address, error.holder.pid) : error
    })
    try {
      await deleteOld(directory)
      const { lines, length } = await read(path)
      const resumes = !fresh && isUnfinished(lines)
      // Removes a line that was cut off when the process was killed.
      if (resumes) truncateSync(path, length)
      const journal = new Journal({ ...startOf(lines, resumes), path, lock })
      if (!resumes) journal.write({ kind: 'started', version: 1, address, destination, at: now() })
      return journal
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Whether Kafka has the product already, by its code or by its address in a list. */
  readonly has = ({ code, address }: ListedProduct): boolean => this.done.has(code) || this.done.has(address)

  /** The content of a list page that the earlier crawl has read; null if it has not. */
  readonly list = (address: string): ListContent | null => this.lists.get(address) ?? null

  /** Records a page of a list. */
  readonly listRead = (address: string, { products, next }: ListContent): void =>
    this.write({ kind: 'list', address, at: now(), products: [...products], next })

  /** Records a product or a delete that Kafka has acknowledged. */
  readonly acknowledged = (
    product: ListedProduct,
    { topic, partition, offset }: Acknowledgement,
    fetchedAt: Date,
  ): void =>
    this.write({
      ...{ kind: 'acknowledged', ...product, topic, partition, offset },
      ...{ fetchedAt: fetchedAt.toISOString(), acknowledgedAt: now() },
    })

  /** Records that the crawl is finished. */
  readonly finished = (): void => this.write({ kind: 'finished', at: now() })

  readonly [Symbol.asyncDispose] = async (): Promise<void> => {
    closeSync(this.file)
    await this.lock[Symbol.asyncDispose]()
  }

  private readonly write = (line: JournalLine): void => {
    writeSync(this.file, `${JSON.stringify(line)}\n`)
  }
}

/** The state of an opened journal. */
interface Start extends Pick<Journal, 'before' | 'wasSource'> {
  readonly done: ReadonlySet<string>
  readonly lists: ReadonlyMap<string, ListContent>
  readonly path: string
  readonly lock: Lock
}

const startOf = (lines: readonly JournalLine[], resumes: boolean): Omit<Start, 'path' | 'lock'> => {
  const first = lines.find(line => line.kind === 'started')
  const lists = lines.filter(line => line.kind === 'list')
  const acknowledged = lines.filter(line => line.kind === 'acknowledged')
  const wasSource = acknowledged.length > 0 || lists.some(({ products }) => products.length > 0)
  if (!resumes || first === undefined) return { before: null, wasSource, done: new Set(), lists: new Map() }
  const codes = new Set(acknowledged.map(({ code }) => code))
  const listed = new Set([...codes, ...lists.flatMap(({ products }) => products.map(({ code }) => code))])
  return {
    before: { startedAt: new Date(first.at), acknowledged: codes.size, listed: listed.size },
    wasSource,
    done: new Set([...codes, ...acknowledged.map(({ address }) => address)]),
    lists: new Map(lists.map(list => [list.address, list])),
  }
}

/** A journal with only its first line has nothing to resume. */
const isUnfinished = (lines: readonly JournalLine[]): boolean =>
  lines[0]?.kind === 'started' && lines.length > 1 && lines.every(({ kind }) => kind !== 'finished')

/** The complete lines, and their length in bytes. */
const read = async (
  path: string,
): Promise<{ readonly lines: readonly JournalLine[]; readonly length: number }> => {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  const length = bytes.lastIndexOf('\n') + 1
  const lines = bytes.toString('utf8', 0, length).split('\n').flatMap(lineOf)
  return { lines, length }
}

const lineOf = (text: string): JournalLine[] => {
  try {
    const line = JournalLine.safeParse(JSON.parse(text))
    return line.success ? [line.data] : []
  } catch {
    return []
  }
}

/** The file name: the host, for users who look into the folder, and a digest. */
const nameOf = (address: string, destination: string): string => {
  const digest = createHash('sha256').update(`${address}\n${destination}`).digest('hex')
  return `${new URL(address).host.replace(/[^\w.-]+/g, '-')}-${digest.slice(0, 12)}`
}

const deleteOld = async (directory: string): Promise<void> => {
  const oldest = Date.now() - maxAgeMs
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const writtenMs = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Number.POSITIVE_INFINITY,
    )
    if (name.endsWith('.jsonl') && writtenMs < oldest) await rm(path, { force: true })
  }
}

const now = (): string => new Date().toISOString()

const running = (address: string, pid: number) =>
  new PipelineError('SCRAPE_RUNNING', `Another scrape of \`${address}\` is in progress, pid ${pid}`, {
    hint: `wait until it has finished, or stop it with \`kill ${pid}\``,
  })
