import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Answer } from './answer.ts'

/** Sends an answer, or the part of it that was asked for; ends when it is sent or the client has left. */
export const send = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> => {
  const { status, headers, body, brokenOffAfter } = partOf(request, answer)
  if (typeof body === 'function') {
    response.writeHead(status, headers)
    if (request.method === 'HEAD') response.end()
    // Who leaves in the middle of a stream does as it likes.
    else await pipeline(body(), response).catch(() => undefined)
    return
  }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  if (request.method === 'HEAD') response.end()
  else if (brokenOffAfter === undefined) response.end(body)
  else response.write(Buffer.from(body).subarray(0, brokenOffAfter), () => response.destroy())
}

/** The status that will be sent. */
export const statusOf = (request: IncomingMessage, answer: Answer): number => partOf(request, answer).status

/**
 * The answer to a request for a part of a file (RFC 9110, 14): one range; several, or what is no range, get the whole,
 * as does who has a part of another version (`If-Range`).
 */
const partOf = ({ headers }: IncomingMessage, answer: Answer): Answer => {
  const { body } = answer
  if (!Buffer.isBuffer(body) || answer.headers['accept-ranges'] !== 'bytes') return answer
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '') ?? []
  if (first === undefined || last === undefined || first + last === '') return answer
  if (first !== '' && last !== '' && Number(last) < Number(first)) return answer
  const version = headers['if-range']
  if (
    version !== undefined &&
    version !== answer.headers['etag'] &&
    version !== answer.headers['last-modified']
  )
    return answer
  const start = first === '' ? Math.max(0, body.length - Number(last)) : Number(first)
  const end = first === '' || last === '' ? body.length : Math.min(Number(last) + 1, body.length)
  if (start >= end)
    return { ...answer, status: 416, headers: { 'content-range': `bytes */${body.length}` }, body: '' }
  return {
    ...answer,
    status: 206,
    headers: { ...answer.headers, 'content-range': `bytes ${start}-${end - 1}/${body.length}` },
    body: body.subarray(start, end),
  }
}
