import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'
import { megabytes } from './limits.ts'
import { VisitError } from './visitError.ts'

/** The site refuses to serve us, or anyone, now. */
export const blocked = (address: string, reason: string) =>
  new PipelineError('SOURCE_BLOCKED', `The site refused \`${shortened(address)}\`: ${reason}`, {
    hint: 'wait a few hours and request fewer pages per minute; for many products use `--source export`',
  })

/** The site sends no response, or none that can be read. */
export const unreachable = (address: string, cause: unknown) =>
  new PipelineError(
    'SITE_UNREACHABLE',
    `${cause instanceof VisitError && cause.kind !== 'unreachable' ? 'Could not load a page' : 'No response'} from \`${new URL(address).host}\`: ${rootMessage(cause)}`,
    {
      hint: 'check the address and the network; `offstream site` serves a stand-in on this machine',
      cause,
    },
  )

/** An address redirects to another site. No request is sent there, unless the user gives that address. */
export const redirectedElsewhere = (address: string, to: string) =>
  new PipelineError(
    'REDIRECTED_ELSEWHERE',
    `\`${shortened(address)}\` redirects to another site: \`${to}\``,
    { hint: 'use that address instead, if you trust it' },
  )

/** A response exceeds `maxBytes`. */
export const responseTooLarge = (address: string, maxBytes: number) =>
  new PipelineError(
    'RESPONSE_TOO_LARGE',
    `The response of \`${shortened(address)}\` is larger than ${megabytes(maxBytes)}`,
    { hint: 'check the address; exports are read with `--source export`' },
  )

/** The start of a long address: a request to the API has 600 characters. */
const shortened = (address: string): string => (address.length > 120 ? `${address.slice(0, 119)}…` : address)

/** The message of the innermost cause: `fetch failed` explains nothing, its cause does. */
const rootMessage = (error: unknown): string =>
  error instanceof Error && !(error instanceof VisitError) && error.cause !== undefined
    ? rootMessage(error.cause)
    : messageOf(error)
