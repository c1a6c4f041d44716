import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'
import type { Remote } from '../guest/remote.ts'

/** A file on this machine or on a site, or a pipe. */
export interface Input {
  /** The path or address, as the user wrote it. */
  readonly name: string
  /** The length of the file (compressed, if it is); null if it is unknown before the end. */
  readonly bytes: number | null
  /** Whether the sender may wait for the result of a line before it sends the next one. */
  readonly isLive: boolean
  /** Whether an empty input is valid: a file with the name of a text export may be empty. */
  readonly mayBeEmpty: boolean
  /** The whole file in chunks, read as fast as they are consumed. */
  readonly chunks: () => AsyncIterable<Buffer>
  /** Random access to the file, in the form that hyparquet needs. */
  readonly parts: () => Promise<{
    readonly byteLength: number
    readonly slice: (start: number, end?: number) => Promise<ArrayBuffer>
  }>
}

const chunkBytes = 1024 * 1024

const hasTextName = (name: string): boolean => /\.(jsonl?|ndjson|csv|tsv)(\.gz)?$/i.test(name)

/** Whether a location is an http or https address, not a path. */
export const isWebAddress = (location: string): boolean => /^https?:\/\//i.test(location)

/**
 * A file on this machine, from a path or a `file:` address; or a pipe: `-` and `/dev/stdin` for standard input, a named pipe,
 * or a process substitution of the shell.
 * @throws OffstreamError FILE_MISSING
 */
export const localInput = async (location: string, signal: AbortSignal): Promise<Input> => {
  const path = pathOf(location)
  const found = await stat(path).catch((error: unknown) => {
    throw missing(location, error)
  })
  // A socket, which standard input can be, cannot be opened by its path.
  if (path === standardInput && !found.isFile()) return pipeInput(location, process.stdin, signal)
  if (found.isFIFO() || found.isCharacterDevice()) return pipeInput(location, createReadStream(path), signal)
  if (!found.isFile()) throw missing(location, new Error('it is not a file'))
  return {
    name: location,
    ...{ bytes: found.size, isLive: false },
    mayBeEmpty: hasTextName(path),
    chunks: async function* () {
      try {
        yield* createReadStream(path, { highWaterMark: chunkBytes })
      } catch (error) {
        throw missing(location, error)
      }
    },
    parts: async () => ({
      byteLength: found.size,
      slice: async (start, end = found.size) => {
        const file = await open(path)
        try {
          const part = new ArrayBuffer(end - start)
          const { bytesRead } = await file.read(new Uint8Array(part), 0, end - start, start)
          if (bytesRead < end - start) throw new Error('the file is too short')
          return part
        } finally {
          await file.close()
        }
      },
    }),
  }
}

const standardInput = '/dev/stdin'

const pathOf = (location: string): string => {
  if (location === '-') return standardInput
  if (!/^file:/i.test(location)) return location
  try {
    return fileURLToPath(location)
  } catch (error) {
    throw missing(location, error)
  }
}

/**
 * A file on a site. An interrupted download is resumed if the site supports that and the file has not changed.
 * @throws OffstreamError FILE_MISSING, and the errors of `Remote`
 */
export const remoteInput = (address: string, remote: Remote, signal: AbortSignal): Input => ({
  name: address,
  ...{ bytes: null, isLive: false },
  mayBeEmpty: hasTextName(address),
  chunks: () => download(address, remote, signal),
  parts: async () => {
    const head = await part(address, remote, signal, 0, 1)
    const byteLength = Number(/\/(\d+)$/.exec(head.headers.get('content-range') ?? '')?.[1] ?? Number.NaN)
    await head.body?.cancel()
    if (head.status !== 206 || !Number.isSafeInteger(byteLength)) throw noParts(address)
    return {
      byteLength,
      slice: async (start, end = byteLength) => {
        const response = await part(address, remote, signal, start, end)
        if (response.status !== 206) throw noParts(address)
        const parts: Buffer[] = []
        for await (const chunk of remote.chunks(response, signal)) parts.push(chunk)
        const { buffer, byteOffset, byteLength: bytes } = Buffer.concat(parts)
        return new Uint8Array(buffer, byteOffset, bytes).slice().buffer
      },
    }
  },
})

/**
 * A pipe, which can be read only once from its start. It is closed at the end of the reading, and at once by an abort.
 * @throws OffstreamError FILE_MISSING if it cannot be read, FORMAT_UNKNOWN for Parquet
 */
export const pipeInput = (name: string, pipe: Readable, signal: AbortSignal): Input => ({
  name,
  ...{ bytes: null, isLive: true },
  mayBeEmpty: true,
  chunks: async function* () {
    try {
      // An abort must not wait for a terminal or pipe that sends nothing.
      yield* addAbortSignal(signal, pipe)
    } catch (error) {
      signal.throwIfAborted()
      throw missing(name, error)
    }
  },
  parts: async () => {
    throw new PipelineError('FORMAT_UNKNOWN', `\`${name}\` is Parquet, which cannot be read from a pipe`, {
      hint: 'use a file with `--source export --file`: Parquet has its index at the end',
    })
  },
})

const maxInterruptions = 5

async function* download(address: string, remote: Remote, signal: AbortSignal): AsyncGenerator<Buffer> {
  let received = 0
  let version: string | null = null
  for (let interruptions = 0; ; ) {
    const headers: Record<string, string> =
      received === 0 || version === null ? {} : { range: `bytes=${received}-`, 'if-range': version }
    const response = await remote.open(address, { signal, headers })
    if (response === null) throw missing(address, new Error('the file does not exist on the site'))
    if (received > 0 && response.status !== 206) throw interrupted(address)
    version = response.headers.get('etag') ?? response.headers.get('last-modified')
    try {
      for await (const chunk of remote.chunks(response, signal)) {
        received += chunk.length
        interruptions = 0
        yield chunk
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      interruptions += 1
      if (version === null || interruptions > maxInterruptions) throw interrupted(address, error)
    }
  }
}

const part = async (
  address: string,
  remote: Remote,
  signal: AbortSignal,
  start: number,
  end: number,
): Promise<Response> => {
  const response = await remote.open(address, { signal, headers: { range: `bytes=${start}-${end - 1}` } })
  if (response === null) throw missing(address, new Error('the file does not exist on the site'))
  return response
}

const missing = (name: string, cause: unknown) =>
  new PipelineError('FILE_MISSING', `\`${name}\` cannot be read: ${messageOf(cause)}`, {
    hint: 'use the path or the address of an export as JSONL, CSV or Parquet',
    cause,
  })

const interrupted = (address: string, cause?: unknown) =>
  new PipelineError('CONNECTION_LOST', `The download of \`${address}\` was interrupted`, {
    hint: 'run the command again; a product that is in the topic twice is one row in the table',
    cause,
  })

const noParts = (address: string) =>
  new PipelineError('RANGES_UNSUPPORTED', `The server of \`${address}\` does not support range requests`, {
    hint: 'download the Parquet file, then use its path',
  })
