import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { SiteResponse } from './response.ts'

/** Sends a response or the requested range of it. Resolves when it is sent or the client has disconnected. */
export const sendResponse = async (
  request: IncomingMessage,
  response: ServerResponse,
  answer: SiteResponse,
): Promise<void> => {
  const { status, headers, body, cutOffAfter } = rangeOf(request, answer)
  if (typeof body === 'function') {
    response.writeHead(status, headers)
    if (request.method === 'HEAD') response.end()
    // A client may disconnect in the middle of a stream.
    else await pipeline(body(), response).catch(() => undefined)
    return
  }
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
  if (request.method === 'HEAD') response.end()
  else if (cutOffAfter === undefined) response.end(body)
  else response.write(Buffer.from(body).subarray(0, cutOffAfter), () => response.destroy())
}

/** The status that `sendResponse` sends. */
export const statusOf = (request: IncomingMessage, answer: SiteResponse): number =>
  rangeOf(request, answer).status

/**
 * The response to a range request (RFC 9110, 14). Several ranges, an invalid range and a range of another version
 * (`If-Range`) get the whole file.
 */
const rangeOf = ({ headers }: IncomingMessage, answer: SiteResponse): SiteResponse => {
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
