import { createHash } from 'node:crypto'
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { acquireLock, type Lock, LockedError } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../../errors.ts'
import type { Acknowledgement } from '../../product/message.ts'
import type { ListedProduct } from './pages.ts'

export interface JournalOptions {
  readonly directory: string
  /** Where the crawl begins. */
  readonly address: string
  /** Where its products go: what one Kafka has acknowledged, another may not have. */
  readonly destination: string
  /** Begin anew, whatever was done before. */
  readonly fresh: boolean
}

const at = z.iso.datetime({ precision: 3 })
const Listed = z.object({ code: z.string(), address: z.string() })

/** The lines of a journal. What a later version adds is left out when it is read. */
export const JournalLine = z.discriminatedUnion('kind', [
  z.object({
    ...{ kind: z.literal('begun'), version: z.literal(1) },
    ...{ address: z.string(), destination: z.string(), at },
  }),
  /** A page of the list was read: what it names, and which page comes after it. */
  z.object({
    ...{ kind: z.literal('list'), address: z.string(), at },
    ...{ products: z.array(Listed), next: z.string().nullable() },
  }),
  /** Kafka has acknowledged a product, or its removal: its page, under `address`, need not be fetched again. */
  z.object({
    ...{ kind: z.literal('acknowledged'), code: z.string(), address: z.string() },
    ...{ topic: z.string(), partition: z.number().int(), offset: z.number().int() },
    ...{ fetchedAt: at, acknowledgedAt: at },
  }),
  /** The crawl came to its end: the next one begins anew. */
  z.object({ kind: z.literal('finished'), at }),
])
export type JournalLine = z.infer<typeof JournalLine>

/** A page of a list, as far as a crawl needs it. */
export interface ListContent {
  readonly products: readonly ListedProduct[]
  readonly next: string | null
}

/** What a crawl that did not come to its end had done. */
export interface Before {
  readonly startedAt: Date
  /** How many products Kafka has acknowledged. */
  readonly acknowledged: number
  /** How many products the lists have named until then. */
  readonly listed: number
}

/** Prices, recipes and pages change: what is older is fetched anew. */
const rememberedForMs = 30 * 24 * 60 * 60 * 1000

/**
 * What one crawl has done, as JSON lines (`JournalLine`) in a file of its own: pages of lists, and each product that
 * Kafka has acknowledged, or its removal, with the place where it lies. By it a crawl that was killed goes on where it was.
 *
 * A line is written at once, in one piece, when the acknowledgement has come; a process that is killed between the two
 * fetches that product again. It is not forced onto the disk: a machine that loses power may lose some last lines.
 * Lines that can't be read count as not written.
 */
export class Journal implements AsyncDisposable {
  /** Null for a crawl that begins anew. */
  readonly before: Before | null
  /** Whether an earlier crawl, finished or not, has found products from this address on. */
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
   * Goes on with the journal of an earlier crawl of the same address to the same destination that did not come to its
   * end, or begins a new one in its place. It is this process's alone until it is disposed of.
   * @throws OffstreamError SCRAPE_RUNNING where another process has it
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
      await forgetOld(directory)
      const { lines, length } = await read(path)
      const goesOn = !fresh && isUnfinished(lines)
      // What was being written when the process was killed.
      if (goesOn) truncateSync(path, length)
      const journal = new Journal({ ...startOf(lines, goesOn), path, lock })
      if (!goesOn) journal.write({ kind: 'begun', version: 1, address, destination, at: now() })
      return journal
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Whether Kafka has the product already, by its code or by the address under which a list names it. */
  readonly has = ({ code, address }: ListedProduct): boolean => this.done.has(code) || this.done.has(address)

  /** The page of a list that was read before; null where it has yet to be. */
  readonly list = (address: string): ListContent | null => this.lists.get(address) ?? null

  readonly listRead = (address: string, { products, next }: ListContent): void =>
    this.write({ kind: 'list', address, at: now(), products: [...products], next })

  readonly acknowledged = (
    product: ListedProduct,
    { topic, partition, offset }: Acknowledgement,
    fetchedAt: Date,
  ): void =>
    this.write({
      ...{ kind: 'acknowledged', ...product, topic, partition, offset },
      ...{ fetchedAt: fetchedAt.toISOString(), acknowledgedAt: now() },
    })

  readonly finished = (): void => this.write({ kind: 'finished', at: now() })

  readonly [Symbol.asyncDispose] = async (): Promise<void> => {
    closeSync(this.file)
    await this.lock[Symbol.asyncDispose]()
  }

  private readonly write = (line: JournalLine): void => {
    writeSync(this.file, `${JSON.stringify(line)}\n`)
  }
}

/** What a journal begins with. */
interface Start extends Pick<Journal, 'before' | 'wasSource'> {
  readonly done: ReadonlySet<string>
  readonly lists: ReadonlyMap<string, ListContent>
  readonly path: string
  readonly lock: Lock
}

const startOf = (lines: readonly JournalLine[], goesOn: boolean): Omit<Start, 'path' | 'lock'> => {
  const begun = lines.find(line => line.kind === 'begun')
  const lists = lines.filter(line => line.kind === 'list')
  const acknowledged = lines.filter(line => line.kind === 'acknowledged')
  const wasSource = acknowledged.length > 0 || lists.some(({ products }) => products.length > 0)
  if (!goesOn || begun === undefined) return { before: null, wasSource, done: new Set(), lists: new Map() }
  const codes = new Set(acknowledged.map(({ code }) => code))
  const listed = new Set([...codes, ...lists.flatMap(({ products }) => products.map(({ code }) => code))])
  return {
    before: { startedAt: new Date(begun.at), acknowledged: codes.size, listed: listed.size },
    wasSource,
    done: new Set([...codes, ...acknowledged.map(({ address }) => address)]),
    lists: new Map(lists.map(list => [list.address, list])),
  }
}

/** A crawl of which nothing but its beginning is known has nothing to go on with. */
const isUnfinished = (lines: readonly JournalLine[]): boolean =>
  lines[0]?.kind === 'begun' && lines.length > 1 && lines.every(({ kind }) => kind !== 'finished')

/** The lines that are whole, and the length in bytes of all up to the last line's end. */
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

/** For a person who looks into the folder, the host; the rest tells crawls apart. */
const nameOf = (address: string, destination: string): string => {
  const digest = createHash('sha256').update(`${address}\n${destination}`).digest('hex')
  return `${new URL(address).host.replace(/[^\w.-]+/g, '-')}-${digest.slice(0, 12)}`
}

const forgetOld = async (directory: string): Promise<void> => {
  const oldest = Date.now() - rememberedForMs
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
  new PipelineError('SCRAPE_RUNNING', `Another scrape of \`${address}\` is under way: pid ${pid}`, {
    hint: `wait until it has ended, or end it with \`kill ${pid}\``,
  })
