import { DeadlineError, messageOf, type OffstreamError, until } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { Config } from '../project/config.ts'
import { readServices, readStack } from './running.ts'
import { readStatus, type Status } from './status.ts'

/**
 * The present status of a stack, with the configuration that it runs with.
 * @param state the state folder of the stack
 * @param config used if no part of the stack runs
 */
export const currentStatus = async (state: string, config: Config): Promise<Status> => {
  const running = await readStack(state)
  return readStatus(state, running?.config ?? config, await readServices(state))
}

/** A condition on the status, such as `rows>=200`. */
export interface Condition {
  /** As the user wrote it. */
  readonly text: string
  /** Also false if the status does not say, for example because a service does not respond. */
  readonly holds: (status: Status) => boolean
  /** What the status shows about it, such as `rows 120`. */
  readonly seen: (status: Status) => string
}

/** How `waitFor` waits. */
export interface WaitOptions {
  readonly timeoutMs: number
  /** Time between two checks. */
  readonly intervalMs?: number
  readonly onStatus?: (status: Status) => void
  readonly signal?: AbortSignal
}

/**
 * Waits for a status in which all conditions hold, and returns it.
 * @throws OffstreamError WAIT_TIMEOUT with the last state of each condition that was not met
 */
export const waitFor = async (
  conditions: readonly Condition[],
  readStatus: () => Promise<Status>,
  { timeoutMs, intervalMs = 1_000, onStatus, signal }: WaitOptions,
): Promise<Status> => {
  let last: Status | null = null
  let isOver = false
  const check = async (): Promise<Status> => {
    const status = await readStatus()
    // After the timeout `last` is in the error already.
    if (isOver) return status
    last = status
    onStatus?.(status)
    if (!conditions.every(({ holds }) => holds(status))) throw new Error('not yet')
    return status
  }
  try {
    return await until(check, { what: 'the conditions', timeoutMs, intervalMs, signal })
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
      ? `the stack did not respond in that time${cause.cause === undefined ? '' : `: ${messageOf(cause.cause)}`}`
      : `last seen: ${missed.map(condition => condition.seen(last as Status)).join(', ')}`
  return new PipelineError(
    'WAIT_TIMEOUT',
    `${missed.map(({ text }) => `\`${text}\``).join(' and ')} not met within ${timeoutMs / 1_000} s; ${seen}`,
    {
      hint: `run \`offstream status\` to see where the products are stuck, or wait longer with \`offstream wait ${missed.map(({ text }) => `--for '${text}'`).join(' ')} --timeout 10m\``,
      cause,
    },
  )
}
