import { addAbortSignal, type Readable } from 'node:stream'
import { messageOf, type OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import { type Block, BlockCutter, linesOf } from '../sources/export/lines.ts'
import { InFlight } from '../sources/inFlight.ts'
import { type Message, openPublisher, removalMessage } from '../topic/topic.ts'
import { FetchedCount } from './produce.ts'
import { readLine } from './topicLine.ts'

/** What became of the lines and deletes that were given, as it stands. */
export interface LineCounts {
  /** Acknowledged by Kafka: messages with a value, and those without. */
  readonly published: number
  readonly deleted: number
  readonly skipped: number
}

export interface ProduceLinesOptions {
  readonly broker: string
  /** The file that counts what was fetched for the stack; what is given by hand counts too. */
  readonly fetched: string
  /** JSON lines, read to their end; null for none. */
  readonly input: Readable | null
  /** Normalised barcodes of products that are no more; sent after the lines. */
  readonly deletes: readonly string[]
  /** Take any message that has a key, instead of products alone. */
  readonly raw: boolean
  readonly onSkip: (line: number, problem: string) => void
  readonly onProgress?: (counts: LineCounts) => void
  readonly signal: AbortSignal
}

/**
 * Publishes JSON lines to the topic, and deletes. A line that is no message is skipped and told.
 * @returns the counts; an aborted run returns what it had done until then
 * @throws OffstreamError KAFKA_UNREACHABLE, MESSAGE_REJECTED, FILE_MISSING (the input breaks off); what was acknowledged
 *   before stays
 */
export const produceLines = async ({
  broker,
  fetched,
  input,
  deletes,
  raw,
  onSkip,
  onProgress,
  signal,
}: ProduceLinesOptions): Promise<LineCounts> => {
  const publisher = await openPublisher(broker)
  const fetchedCount = new FetchedCount(fetched)
  const inFlight = new InFlight()
  const counts = { published: 0, deleted: 0, skipped: 0 }
  let sent = 0
  const send = (message: Message): Promise<void> | null => {
    sent += 1
    fetchedCount.is(sent)
    return inFlight.add(
      publisher.send(message).then(() => {
        counts[message.value === null ? 'deleted' : 'published'] += 1
        onProgress?.({ ...counts })
      }),
    )
  }
  try {
    for await (const { number, text } of toldLines(input, signal)) {
      const read = text === null ? tooLong : readLine(text, { raw, now: new Date().toISOString() })
      if (read.kind === 'message') await send(read.message)
      else {
        counts.skipped += 1
        onSkip(number, read.problem)
      }
    }
    const as_of = new Date().toISOString()
    for (const code of signal.aborted ? [] : deletes)
      await send(removalMessage({ code, as_of, source: 'stdin' }))
    await inFlight.landed()
    return counts
  } finally {
    // First what can't fail: its clock would keep the process alive.
    await fetchedCount.close()
    await publisher.close()
  }
}

/** The broker takes 1 MiB at most. */
const longestLine = 1024 * 1024
const tooLong = { kind: 'problem', problem: 'it is longer than 1 MiB' } as const

interface Line {
  /** From 1. */
  readonly number: number
  /** null where it is too long. */
  readonly text: string | null
}

/** The lines that are not empty; ends when `signal` is aborted. */
async function* toldLines(input: Readable | null, signal: AbortSignal): AsyncGenerator<Line> {
  if (input === null) return
  const cutter = new BlockCutter(longestLine)
  const numbered = (blocks: readonly Block[]): readonly Line[] =>
    blocks.flatMap(block =>
      linesOf(block, longestLine).map((line, index) => ({
        number: block.before + index + 1,
        text: line?.toString('utf8').trim() ?? null,
      })),
    )
  try {
    // A terminal or a pipe gives nothing for hours: an abort must not wait for it.
    for await (const chunk of addAbortSignal(signal, input)) yield* numbered(cutter.cut(chunk)).filter(isTold)
    yield* numbered(cutter.rest()).filter(isTold)
  } catch (error) {
    if (!signal.aborted) throw unreadable(error)
  }
}

const unreadable = (cause: unknown): OffstreamError =>
  new PipelineError('FILE_MISSING', `The lines can't be read: ${messageOf(cause)}`, {
    hint: 'give a file of JSON lines; the lines before were published',
    cause,
  })

const isTold = ({ text }: Line): boolean => text !== ''
