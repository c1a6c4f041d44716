import { Worker } from 'node:worker_threads'
import { answerMembers } from '../../product/answer.ts'
import { envelopeMembers } from '../../product/envelope.ts'
import { apiFields } from '../../product/fields.ts'
import type { Wanted } from '../../product/pick.ts'
import type { ReadResult } from '../reader.ts'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import { type Block, BlockCutter } from './lines.ts'
import type { LineThreadData } from './lineThread.ts'
import { type Packed, unpacked } from './packed.ts'

type ReadResults = readonly (ReadResult | null)[]

/** The members that are read from a line, which is a product, a response of the API, or an envelope. */
export const lineFields: Wanted = {
  ...apiFields,
  product: apiFields,
  products: true,
  ...Object.fromEntries([...answerMembers, ...envelopeMembers].map(name => [name, true as const])),
}

/** The thread takes 50 ms to start. In that time about this many bytes are read without it. */
export const shortFileBytes = 4 * 1024 * 1024

/**
 * The results of the lines of a file, in their order, as soon as they arrive. Converting a line into a record takes longer
 * than sending it to Kafka. Therefore another thread reads most of a long file.
 *
 * @param threadAfter the number of bytes that are read before the thread is started
 * @param thread the program of the thread, `lineThread.ts`
 */
export async function* jsonlFileResults(
  chunks: AsyncIterable<Buffer>,
  options: FileReaderOptions,
  { threadAfter = shortFileBytes, thread = new URL('./lineThread.js', import.meta.url) } = {},
): AsyncGenerator<ReadResults> {
  const file = chunks[Symbol.asyncIterator]()
  const cutter = new BlockCutter()
  const lines = new LineReader(lineFields)
  const read = (blocks: readonly Block[]): ReadResults => resultsIn(lines.entries(blocks), options)
  try {
    for (let bytes = 0; bytes < threadAfter; ) {
      const next = await file.next()
      if (next.done === true) return yield read(cutter.rest())
      bytes += next.value.length
      yield read(cutter.cut(next.value))
    }
    await using reading = new LineThread(thread, { wanted: lineFields, options })
    yield* readTogether(partsOf(file, cutter), reading, read)
  } finally {
    await file.return?.()
  }
}

/** The blocks of a chunk, and its memory if nothing else uses it. */
interface Part {
  readonly blocks: readonly Block[]
  readonly memory: readonly ArrayBuffer[]
}

/** The parts of a file; if it fails, the parts before, then the error. */
async function* partsOf(file: AsyncIterator<Buffer>, cutter: BlockCutter): AsyncGenerator<Part> {
  for (let next = await file.next(); next.done !== true; next = await file.next()) {
    const { buffer, byteLength } = next.value
    // A chunk may share its memory with the next one.
    const isOwn = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength
    yield { blocks: cutter.cut(next.value), memory: isOwn ? [buffer] : [] }
  }
  yield { blocks: cutter.rest(), memory: [] }
}

/** How many parts are queued for the thread: enough that it never waits, and only a few megabytes. */
const partsAhead = 3

/**
 * Sends part after part to the thread. If the thread is behind, this one reads the next part itself. Otherwise it would
 * wait half of the time, and a machine with two cores would reach three quarters of its speed.
 */
async function* readTogether(
  parts: AsyncGenerator<Part>,
  thread: LineThread,
  read: (blocks: readonly Block[]) => ReadResults,
): AsyncGenerator<ReadResults> {
  const queue: Answer[] = []
  let [isOver, inputError]: [boolean, { readonly error: unknown } | null] = [false, null]
  const next = async (): Promise<Part | null> => {
    try {
      const part = await parts.next()
      if (part.done !== true) return part.value
    } catch (error) {
      inputError = { error }
    }
    isOver = true
    return null
  }
  for (;;) {
    while (!isOver && thread.behind < partsAhead) {
      const part = await next()
      if (part !== null) queue.push(thread.read(part))
    }
    const [first] = queue
    if (first === undefined) break
    // The thread answers in order, so results behind its next answer were read by this thread.
    if (!isOver && queue.every(({ results }) => results === null)) {
      const part = await next()
      if (part !== null) queue.push({ results: read(part.blocks) })
    }
    while (first.results === null) await thread.answered()
    queue.shift()
    yield first.results
  }
  if (inputError !== null) throw (inputError as { readonly error: unknown }).error
}

/** The results of a part; null until they arrive. */
interface Answer {
  results: ReadResults | null
}

/** The thread, and the parts that it has not answered. */
class LineThread implements AsyncDisposable {
  private readonly worker: Worker
  private readonly unanswered: Answer[] = []
  private failure: { readonly error: unknown } | null = null
  private wake: () => void = () => undefined

  constructor(program: URL, workerData: LineThreadData) {
    this.worker = new Worker(program, { workerData })
    this.worker.on('message', (packed: Packed) => {
      const answer = this.unanswered.shift()
      if (answer !== undefined) answer.results = unpacked(packed)
      this.wake()
    })
    this.worker.on('error', error => this.fail(error))
    this.worker.on('exit', code => this.fail(new Error(`the thread exited with status ${code}`)))
  }

  /** How many parts it has not answered. */
  get behind(): number {
    return this.unanswered.length
  }

  /** Sends it a part, whose memory cannot be used afterwards. */
  readonly read = ({ blocks, memory }: Part): Answer => {
    const answer: Answer = { results: null }
    this.unanswered.push(answer)
    this.worker.postMessage(blocks.map(compact), memory)
    return answer
  }

  /**
   * Waits for its next answer.
   * @throws the error of the thread
   */
  readonly answered = async (): Promise<void> => {
    if (this.failure === null)
      await new Promise<void>(resolve => {
        this.wake = resolve
      })
    if (this.failure !== null) throw this.failure.error
  }

  readonly [Symbol.asyncDispose] = async (): Promise<void> => {
    await this.worker.terminate()
  }

  private readonly fail = (error: unknown): void => {
    this.failure ??= { error }
    this.wake()
  }
}

/** Copies a block that is a small part of a large memory, because sending it would send all of that memory. */
const compact = ({ bytes, before }: Block): Block => ({
  before,
  bytes: bytes === null || bytes.byteLength * 2 > bytes.buffer.byteLength ? bytes : new Uint8Array(bytes),
})
