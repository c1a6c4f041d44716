import { constants, crc32, createInflateRaw, type InflateRaw } from 'node:zlib'
import { abortable, messageOf } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'

/** What is wrong with a gzip file that can be read nevertheless. */
export type GzipWarning = 'truncated' | 'trailing-bytes'

/** The first bytes of each member of a gzip file. */
export const gzipMagic = Buffer.from([0x1f, 0x8b])

/**
 * Decompresses a gzip file of one or more members. Unlike `createGunzip`, it delivers everything that can be decompressed,
 * also if the file is truncated or followed by other bytes.
 *
 * @param onWarning called before the end if the last part of the file is missing, or if other bytes follow the last member;
 * they are ignored, as `gzip -d` does
 * @throws OffstreamError FILE_DAMAGED, and the errors of the input, all after the data before them
 */
export async function* gunzipped(
  chunks: AsyncIterable<Buffer>,
  name: string,
  onWarning: (warning: GzipWarning) => void,
): AsyncGenerator<Buffer> {
  const input = new Input(chunks)
  try {
    do {
      await skipHeader(input)
      yield* inflated(input, name)
    } while ((await input.peek(gzipMagic.length)).equals(gzipMagic))
    // Tapes and block devices fill the rest with zeros.
    for (let rest = await input.next(); rest !== null; rest = await input.next())
      if (rest.some(byte => byte !== 0)) {
        onWarning('trailing-bytes')
        break
      }
  } catch (error) {
    if (!(error instanceof Truncated)) throw error
    onWarning('truncated')
  } finally {
    input.close()
  }
}

const headerBytes = 10
const trailerBytes = 8
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16 } as const

/** @see RFC 1952, section 2.3 */
const skipHeader = async (input: Input): Promise<void> => {
  const has = (await input.take(headerBytes))[3] ?? 0
  if ((has & flags.extra) !== 0) await input.take((await input.take(2)).readUInt16LE())
  for (const flag of [flags.name, flags.comment])
    if ((has & flag) !== 0) while ((await input.take(1))[0] !== 0);
  if ((has & flags.headerCrc) !== 0) await input.take(2)
}

/** The data of one member, up to its checksum. */
async function* inflated(input: Input, name: string): AsyncGenerator<Buffer> {
  // With this flush, data whose end is missing is not an error of the stream, which would drop what is in it.
  const stream = createInflateRaw({ chunkSize: 256 * 1024, finishFlush: constants.Z_SYNC_FLUSH })
  const feeding = feed(stream, input)
  let [crc, size] = [0, 0]
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      crc = crc32(chunk, crc)
      size = (size + chunk.length) % 2 ** 32
      yield chunk
    }
  } catch (error) {
    throw damaged(name, messageOf(error), error)
  } finally {
    stream.destroy()
  }
  const { error } = await feeding
  if (error !== null) throw error.cause
  const trailer = await input.take(trailerBytes)
  if (trailer.readUInt32LE(0) !== crc || trailer.readUInt32LE(4) !== size)
    throw damaged(name, 'its checksum is wrong', undefined)
}

/**
 * Writes the input to the stream until that has all of its member, and puts the rest back.
 * @returns the error of the input
 */
const feed = async (
  stream: InflateRaw,
  input: Input,
): Promise<{ readonly error: { readonly cause: unknown } | null }> => {
  const over = new AbortController()
  for (const event of ['end', 'error', 'close']) stream.once(event, () => over.abort())
  try {
    let written = 0
    for (let chunk = await input.next(); chunk !== null; chunk = await input.next()) {
      written += chunk.length
      // For a chunk with the end of the member, the stream may not call back.
      const taken = new Promise(resolve => stream.write(chunk, resolve))
      await abortable(taken, over.signal).catch(() => undefined)
      const left = written - stream.bytesWritten
      if (left > 0) {
        input.putBack(chunk.subarray(chunk.length - left))
        break
      }
    }
    return { error: null }
  } catch (cause) {
    return { error: { cause } }
  } finally {
    stream.end()
  }
}

/** A stream of bytes that can be read ahead. */
class Input {
  private readonly chunks: AsyncIterator<Buffer>
  private ahead: Buffer = Buffer.alloc(0)

  constructor(chunks: AsyncIterable<Buffer>) {
    this.chunks = chunks[Symbol.asyncIterator]()
  }

  /** The next bytes; null at the end. */
  readonly next = async (): Promise<Buffer | null> => {
    const { ahead } = this
    this.ahead = Buffer.alloc(0)
    if (ahead.length > 0) return ahead
    const next = await this.chunks.next()
    return next.done === true ? null : next.value
  }

  readonly putBack = (bytes: Buffer): void => {
    this.ahead = Buffer.concat([bytes, this.ahead])
  }

  /** The next `count` bytes, or fewer at the end, which stay in the stream. */
  readonly peek = async (count: number): Promise<Buffer> => {
    while (this.ahead.length < count) {
      const next = await this.chunks.next()
      if (next.done === true) break
      this.ahead = Buffer.concat([this.ahead, next.value])
    }
    return this.ahead.subarray(0, count)
  }

  /** Takes `count` bytes. @throws Truncated */
  readonly take = async (count: number): Promise<Buffer> => {
    const bytes = await this.peek(count)
    if (bytes.length < count) throw new Truncated()
    this.ahead = this.ahead.subarray(count)
    return bytes
  }

  /** Not awaited: a pipe that sends nothing would never return. */
  readonly close = (): void => void this.chunks.return?.().catch(() => undefined)
}

/** The input ends inside a member. */
class Truncated extends Error {}

const damaged = (name: string, reason: string, cause: unknown) =>
  new PipelineError(
    'FILE_DAMAGED',
    `\`${name}\` cannot be decompressed: its gzip data is damaged: ${reason}`,
    {
      hint: 'download the file again; the products before the damage were read',
      cause,
    },
  )
