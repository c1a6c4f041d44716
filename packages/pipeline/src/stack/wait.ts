import { DeadlineError, messageOf, type OffstreamError, until } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { readServices, readStack } from './running.ts'
import { readStatus, type Status } from './status.ts'

/**
 * The status of a stack as it is now: what is asked is what it was started with, be that since the command began.
 * @param state the state folder of the stack
 * @param config where it was not started
 */
export const lookAt = async (state: string, config: Config): Promise<Status> => {
  const running = await readStack(state)
  return readStatus(state, running?.config ?? config, await readServices(state))
}

/** Something that a status may or may not show. */
export interface Condition {
  /** As the person wrote it, such as `rows>=200`. */
  readonly text: string
  /** False too where it can't be known: who does not answer proves nothing. */
  readonly holds: (status: Status) => boolean
  /** What the status shows instead, such as `rows 120`. */
  readonly seen: (status: Status) => string
}

export interface WaitOptions {
  readonly timeoutMs: number
  /** Pause between two looks. */
  readonly intervalMs?: number
  readonly onLook?: (status: Status) => void
  readonly signal?: AbortSignal
}

/**
 * Looks again and again until all conditions hold at once, and returns the status that shows it.
 * @throws OffstreamError WAIT_TIMEOUT, saying what was seen last of each condition that did not hold
 */
export const waitFor = async (
  conditions: readonly Condition[],
  look: () => Promise<Status>,
  { timeoutMs, intervalMs = 1_000, onLook, signal }: WaitOptions,
): Promise<Status> => {
  let last: Status | null = null
  let isOver = false
  const lookOnce = async (): Promise<Status> => {
    const status = await look()
    // The time may have ended meanwhile; what was told then holds.
    if (isOver) return status
    last = status
    onLook?.(status)
    if (!conditions.every(({ holds }) => holds(status))) throw new Error('not yet')
    return status
  }
  try {
    return await until(lookOnce, { what: 'the conditions', timeoutMs, intervalMs, signal })
  } catch (error) {
    isOver = true
    throw error instanceof DeadlineError ? timeout(conditions, last, timeoutMs, error) : error
  }
}

const timeout = (
  conditions: readonly Condition[],
  last: Status | null,
  timeoutMs: number,
  cause: DeadlineError,
): OffstreamError => {
  const missed = conditions.filter(({ holds }) => last === null || !holds(last))
  const seen =
    last === null
      ? `the stack gave no answer in that time${cause.cause === undefined ? '' : `: ${messageOf(cause.cause)}`}`
      : `last seen: ${missed.map(condition => condition.seen(last as Status)).join(', ')}`
  return new PipelineError(
    'WAIT_TIMEOUT',
    `${missed.map(({ text }) => `\`${text}\``).join(' and ')} did not come true within ${timeoutMs / 1_000} s; ${seen}`,
    {
      hint: `run \`offstream status\` to see where the products stop, or wait longer with \`offstream wait ${missed.map(({ text }) => `--for '${text}'`).join(' ')} --timeout 10m\``,
      cause,
    },
  )
}
