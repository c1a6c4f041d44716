import type { Failure } from '../wire.ts'

/** The server rejected a request or could not carry it out. */
export class RequestError extends Error {
  readonly hint: string

  constructor({ error }: Failure) {
    super(error.message)
    this.hint = error.hint
  }
}

/** The JSON of an address of the server. @throws RequestError */
export const getJson = <T>(address: string, signal?: AbortSignal): Promise<T> =>
  requestJson<T>(address, signal === undefined ? {} : { signal })

/** Carries out an action. @throws RequestError */
export const post = (address: string): Promise<unknown> => requestJson(address, { method: 'POST' })

const requestJson = async <T>(address: string, options: RequestInit): Promise<T> => {
  const response = await fetch(address, options)
  const body: unknown = await response.json()
  if (!response.ok) throw new RequestError(body as Failure)
  return body as T
}
