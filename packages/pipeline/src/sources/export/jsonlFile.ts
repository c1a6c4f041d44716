import { Worker } from 'node:worker_threads'
import { apiFields } from '../../product/fields.ts'
import type { Wanted } from '../../product/pick.ts'
import type { ReadResult } from '../reader.ts'
import { type FileReaderOptions, resultsIn } from './entry.ts'
import { LineReader } from './jsonl.ts'
import { type Block, BlockCutter } from './lines.ts'
import type { LineThreadData } from './lineThread.ts'
import { type Packed, unpacked } from './packed.ts'

type ReadResults = readonly (ReadResult | null)[]

/** A line is a product, or an answer of the API that holds one or some. */
export const lineFields: Wanted = { ...apiFields, product: apiFields, products: true }

/** The thread takes a twentieth of a second to start, in which about as much is read without it. */
export const bytesOfAShortFile = 4 * 1024 * 1024

/**
 * What comes of the lines of a file, in their order, as soon as they have come. From there to the record takes more time
 * than from the record to Kafka, so of a file that proves to be long a thread of its own reads the most.
 *
 * @param threadAfter bytes that are read before it, without it
 * @param thread the program of that thread, `lineThread.ts`
 */
export async function* jsonlFileResults(
  chunks: AsyncIterable<Buffer>,
  options: FileReaderOptions,
  { threadAfter = bytesOfAShortFile, thread = new URL('./lineThread.js', import.meta.url) } = {},
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

/** What is read in one go: the blocks of a chunk, and its memory, if nobody else has it. */
interface Part {
  readonly blocks: readonly Block[]
  readonly memory: readonly ArrayBuffer[]
}

/** The parts of a file; where it breaks off, those that stood before, and then the error. */
async function* partsOf(file: AsyncIterator<Buffer>, cutter: BlockCutter): AsyncGenerator<Part> {
  for (let next = await file.next(); next.done !== true; next = await file.next()) {
    const { buffer, byteLength } = next.value
    // A chunk may share its memory with the next one.
    const isOwn = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength
    yield { blocks: cutter.cut(next.value), memory: isOwn ? [buffer] : [] }
  }
  yield { blocks: cutter.rest(), memory: [] }
}

/** Parts that are with the thread: enough that it never waits, and no more than a few megabytes. */
const partsAhead = 3

/**
 * Gives part after part to the thread. Where it is behind, the next one is read here, one at a time: else this thread
 * would wait half of its time, and a machine of two cores do three quarters of what it can.
 */
async function* readTogether(
  parts: AsyncGenerator<Part>,
  thread: LineThread,
  read: (blocks: readonly Block[]) => ReadResults,
): AsyncGenerator<ReadResults> {
  const line: Answer[] = []
  let [isOver, trouble]: [boolean, { readonly error: unknown } | null] = [false, null]
  const next = async (): Promise<Part | null> => {
    try {
      const part = await parts.next()
      if (part.done !== true) return part.value
    } catch (error) {
      trouble = { error }
    }
    isOver = true
    return null
  }
  for (;;) {
    while (!isOver && thread.behind < partsAhead) {
      const part = await next()
      if (part !== null) line.push(thread.read(part))
    }
    const [first] = line
    if (first === undefined) break
    // The thread answers in the order it was asked in, so what is there behind its next answer was read here.
    if (!isOver && line.every(({ results }) => results === null)) {
      const part = await next()
      if (part !== null) line.push({ results: read(part.blocks) })
    }
    while (first.results === null) await thread.answered()
    line.shift()
    yield first.results
  }
  if (trouble !== null) throw (trouble as { readonly error: unknown }).error
}

/** What comes of a part; null until it is there. */
interface Answer {
  results: ReadResults | null
}

/** The thread, and the parts that it has. */
class LineThread implements AsyncDisposable {
  private readonly worker: Worker
  private readonly asked: Answer[] = []
  private failure: { readonly error: unknown } | null = null
  private wake: () => void = () => undefined

  constructor(program: URL, workerData: LineThreadData) {
    this.worker = new Worker(program, { workerData })
    this.worker.on('message', (packed: Packed) => {
      const answer = this.asked.shift()
      if (answer !== undefined) answer.results = unpacked(packed)
      this.wake()
    })
    this.worker.on('error', error => this.fail(error))
    this.worker.on('exit', code => this.fail(new Error(`the thread ended with status ${code}`)))
  }

  /** How many parts it has not answered yet. */
  get behind(): number {
    return this.asked.length
  }

  /** Gives it a part, whose memory is gone then. */
  readonly read = ({ blocks, memory }: Part): Answer => {
    const answer: Answer = { results: null }
    this.asked.push(answer)
    this.worker.postMessage(blocks.map(lean), memory)
    return answer
  }

  /**
   * Waits for its next answer.
   * @throws what it failed of
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

/** A block as it is sent: what is sent of a small piece of a large memory is all of that, unless it is copied. */
const lean = ({ bytes, before }: Block): Block => ({
  before,
  bytes: bytes === null || bytes.byteLength * 2 > bytes.buffer.byteLength ? bytes : new Uint8Array(bytes),
})
