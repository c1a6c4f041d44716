import { addAbortSignal, type Readable } from 'node:stream'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { SkipCounts, SkipReason } from '../product/skip.ts'
import { type Block, BlockCutter, linesOf } from '../sources/export/lines.ts'
import { InFlight } from '../sources/inFlight.ts'
import type { ClusterAddress } from '../topic/cluster.ts'
import { type Message, removalMessage } from '../topic/message.ts'
import { openPublisher } from '../topic/publisher.ts'
import { FetchedCount } from './produce.ts'
import { readLine } from './topicLine.ts'

/** The counts of one run up to now. */
export interface LineCounts {
  /** Messages with a value that Kafka has acknowledged; `deleted` counts those without. */
  readonly published: number
  readonly deleted: number
  readonly skipped: number
  /** The same number for each reason. */
  readonly skippedBy: SkipCounts
}

/** Options of `produceLines`. */
export interface ProduceLinesOptions {
  readonly cluster: ClusterAddress
  /** The file with the number of fetched products of the stack, which includes these messages. */
  readonly fetched: string
  /** JSON lines; null for none. */
  readonly input: Readable | null
  /** Normalised barcodes of products to delete, after the lines. */
  readonly deletes: readonly string[]
  /** Accept any message that has a key, not only products. */
  readonly raw: boolean
  /** A topic of the user, whose lines are always raw, and the member that becomes the key; null: that of the products. */
  readonly other: { readonly topic: string; readonly keyMember: string } | null
  readonly onSkip: (line: number, problem: string, skippedBy: SkipReason) => void
  readonly onProgress?: (counts: LineCounts) => void
  readonly signal: AbortSignal
}

/**
 * Publishes JSON lines and deletes to the topic. A line that is not a message is skipped and reported.
 * @returns the counts, also of an aborted run
 * @throws OffstreamError those of `openPublisher`, MESSAGE_REJECTED, FILE_MISSING (the input cannot be read); messages that
 *   were acknowledged before stay in the topic
 */
export const produceLines = async ({
  cluster,
  fetched,
  input,
  deletes,
  raw,
  other,
  onSkip,
  onProgress,
  signal,
}: ProduceLinesOptions): Promise<LineCounts> => {
  const publisher = await openPublisher(cluster, other?.topic)
  const fetchedCount = other === null ? new FetchedCount(fetched) : null
  const inFlight = new InFlight()
  const skippedBy: Partial<Record<SkipReason, number>> = {}
  const counts = { published: 0, deleted: 0, skipped: 0, skippedBy }
  const form = other === null ? { raw } : { raw: true, keyMember: other.keyMember }
  let sent = 0
  const send = (message: Message): Promise<void> | null => {
    sent += 1
    fetchedCount?.is(sent)
    return inFlight.add(
      publisher.send(message).then(() => {
        counts[message.value === null ? 'deleted' : 'published'] += 1
        onProgress?.({ ...counts })
      }),
    )
  }
  try {
    for await (const { number, text } of filledLines(input, signal)) {
      const read = text === null ? tooLong : readLine(text, { ...form, now: new Date().toISOString() })
      if (read.kind === 'message') await send(read.message)
      else {
        counts.skipped += 1
        skippedBy[read.skippedBy] = (skippedBy[read.skippedBy] ?? 0) + 1
        onSkip(number, read.problem, read.skippedBy)
      }
    }
    const as_of = new Date().toISOString()
    for (const code of signal.aborted ? [] : deletes)
      await send(removalMessage({ code, as_of, source: 'stdin' }))
    await inFlight.settled()
    return counts
  } finally {
    // First, because it cannot fail, and its timer would keep the process alive.
    await fetchedCount?.close()
    await publisher.close()
  }
}

/** The maximum message size of the broker. */
const maxLineBytes = 1024 * 1024
const tooLong = { kind: 'problem', skippedBy: 'too-long', problem: 'it is longer than 1 MiB' } as const

interface Line {
  /** Starts at 1. */
  readonly number: number
  /** null if it is too long. */
  readonly text: string | null
}

/** The lines that are not empty, until `signal` is aborted. */
async function* filledLines(input: Readable | null, signal: AbortSignal): AsyncGenerator<Line> {
  if (input === null) return
  const cutter = new BlockCutter(maxLineBytes)
  const numbered = (blocks: readonly Block[]): readonly Line[] =>
    blocks.flatMap(block =>
      linesOf(block, maxLineBytes).map((line, index) => ({
        number: block.before + index + 1,
        text: line?.toString('utf8').trim() ?? null,
      })),
    )
  try {
    // An abort must not wait for a terminal or pipe that sends nothing.
    for await (const chunk of addAbortSignal(signal, input))
      yield* numbered(cutter.cut(chunk)).filter(isFilled)
    yield* numbered(cutter.rest()).filter(isFilled)
  } catch (error) {
    if (!signal.aborted) throw unreadable(error)
  }
}

const unreadable = (cause: unknown): OffstreamError =>
  new PipelineError('FILE_MISSING', `The lines cannot be read: ${messageOf(cause)}`, {
    hint: 'use a file of JSON lines; the preceding lines were published',
    cause,
  })

const isFilled = ({ text }: Line): boolean => text !== ''
