import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { addAbortSignal, type Readable } from 'node:stream'
import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'
import type { Remote } from '../guest/remote.ts'

/** A file on this machine or on a site, to be read from its beginning or at any place; or what comes on a pipe. */
export interface Input {
  /** As the person wrote it. */
  readonly name: string
  /** Its length, packed as it may be; null where nobody knows before its end. */
  readonly bytes: number | null
  /** Whether it comes from somebody who may wait for what becomes of it, before he sends more. */
  readonly isLive: boolean
  /** Whether it may hold nothing: a file that is called an export of text may. */
  readonly mayBeEmpty: boolean
  /** The whole file, in parts, as fast as they are taken. */
  readonly chunks: () => AsyncIterable<Buffer>
  /** Any part of the file, as hyparquet wants it. */
  readonly parts: () => Promise<{
    readonly byteLength: number
    readonly slice: (start: number, end?: number) => Promise<ArrayBuffer>
  }>
}

const chunkBytes = 1024 * 1024

const isCalledText = (name: string): boolean => /\.(jsonl?|ndjson|csv|tsv)(\.gz)?$/i.test(name)

export const isWebAddress = (location: string): boolean => /^https?:\/\//i.test(location)

/** @throws OffstreamError FILE_MISSING */
export const localInput = async (path: string): Promise<Input> => {
  const found = await stat(path).catch((error: unknown) => {
    throw missing(path, error)
  })
  if (!found.isFile()) throw missing(path, new Error('it is not a file'))
  return {
    name: path,
    ...{ bytes: found.size, isLive: false },
    mayBeEmpty: isCalledText(path),
    chunks: async function* () {
      try {
        yield* createReadStream(path, { highWaterMark: chunkBytes })
      } catch (error) {
        throw missing(path, error)
      }
    },
    parts: async () => ({
      byteLength: found.size,
      slice: async (start, end = found.size) => {
        const file = await open(path)
        try {
          const part = new ArrayBuffer(end - start)
          const { bytesRead } = await file.read(new Uint8Array(part), 0, end - start, start)
          if (bytesRead < end - start) throw new Error('the file ends early')
          return part
        } finally {
          await file.close()
        }
      },
    }),
  }
}

/**
 * A file that a site serves. A download that breaks off goes on where it was, if the site can do that; one that a
 * changed file would spoil is not resumed.
 * @throws OffstreamError FILE_MISSING, and what `Remote` throws
 */
export const remoteInput = (address: string, remote: Remote, signal: AbortSignal): Input => ({
  name: address,
  ...{ bytes: null, isLive: false },
  mayBeEmpty: isCalledText(address),
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
 * What comes on a pipe, which can be read once and from its beginning only. An abort ends it at once; the end of the
 * reading closes it.
 * @throws OffstreamError FILE_MISSING where it can't be read, FORMAT_UNKNOWN for Parquet
 */
export const pipeInput = (name: string, pipe: Readable, signal: AbortSignal): Input => ({
  name,
  ...{ bytes: null, isLive: true },
  mayBeEmpty: true,
  chunks: async function* () {
    try {
      // A terminal or a pipe gives nothing for hours: an abort must not wait for it.
      yield* addAbortSignal(signal, pipe)
    } catch (error) {
      signal.throwIfAborted()
      throw missing(name, error)
    }
  },
  parts: async () => {
    throw new PipelineError('FORMAT_UNKNOWN', `\`${name}\` is Parquet, which can't be read from a pipe`, {
      hint: 'give it as a file with `--source export --file`: what tells where its parts are stands at its end',
    })
  },
})

const maxBreaks = 5

async function* download(address: string, remote: Remote, signal: AbortSignal): AsyncGenerator<Buffer> {
  let received = 0
  let version: string | null = null
  for (let breaks = 0; ; ) {
    const headers: Record<string, string> =
      received === 0 || version === null ? {} : { range: `bytes=${received}-`, 'if-range': version }
    const response = await remote.open(address, { signal, headers })
    if (response === null) throw missing(address, new Error('the site has no such file'))
    if (received > 0 && response.status !== 206) throw brokenOff(address)
    version = response.headers.get('etag') ?? response.headers.get('last-modified')
    try {
      for await (const chunk of remote.chunks(response, signal)) {
        received += chunk.length
        breaks = 0
        yield chunk
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      breaks += 1
      if (version === null || breaks > maxBreaks) throw brokenOff(address, error)
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
  if (response === null) throw missing(address, new Error('the site has no such file'))
  return response
}

const missing = (name: string, cause: unknown) =>
  new PipelineError('FILE_MISSING', `\`${name}\` can't be read: ${messageOf(cause)}`, {
    hint: 'give the path or the address of an export as JSONL, CSV or Parquet',
    cause,
  })

const brokenOff = (address: string, cause?: unknown) =>
  new PipelineError('CONNECTION_LOST', `The download of \`${address}\` broke off`, {
    hint: 'run it again; products that are in the topic twice are one row in the table',
    cause,
  })

const noParts = (address: string) =>
  new PipelineError('RANGES_UNSUPPORTED', `The site of \`${address}\` serves whole files only`, {
    hint: 'download the Parquet file, then give its path',
  })
