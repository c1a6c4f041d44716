import { type OffstreamError, send } from '@offstream/runtime'
import { z } from 'zod'
import { PipelineError } from '../errors.ts'
import { programEnvironment } from '../runtimes/environment.ts'

/** A login with tokens (OAUTHBEARER), which a command prints. */
export interface TokenLogin {
  readonly mechanism: 'oauthbearer'
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** The folder in which it runs. */
  readonly directory: string
}

/** A JWT. */
export interface Token {
  readonly value: string
  readonly expires: Date
}

/**
 * Runs the command. It gets the same environment as programs of the stack, in which the job runs it too.
 * @throws OffstreamError TOKEN_FAILED
 */
export const requestToken = async ({ command, directory }: TokenLogin): Promise<Token> => {
  const [program = '', ...args] = command
  const run = await runInGroup(program, args, directory)
  if (!run.failed) return tokenIn(run.stdout.trim(), program)
  if (run.timedOut) throw tokenFailed(program, `did not exit within ${tokenTimeoutMs / 1_000} s`)
  throw run.exitCode === undefined
    ? tokenFailed(program, `cannot be run: ${run.code ?? run.signal}`)
    : tokenFailed(program, `exited with status ${run.exitCode}`)
}

/** In a separate process group, which is killed if it takes too long or this process exits: a script may have children. */
const runInGroup = async (program: string, args: readonly string[], directory: string) => {
  const { execa } = await import('execa')
  const running = execa(program, args, {
    ...{ cwd: directory, env: programEnvironment(process.env), extendEnv: false, reject: false },
    // Its messages are not reported, because they may contain secrets.
    ...{ stdin: 'ignore', stderr: 'ignore', detached: true },
  })
  const { pid } = running
  const kill = (): void => {
    if (pid !== undefined) send(-pid, 'SIGKILL')
  }
  let timedOut = false
  const timer = setTimeout(() => {
    timedOut = true
    kill()
  }, tokenTimeoutMs)
  process.once('exit', kill)
  try {
    return { ...(await running), timedOut }
  } finally {
    clearTimeout(timer)
    process.off('exit', kill)
  }
}

/** A command may wait for a server, but not for a user. */
const tokenTimeoutMs = 30_000

/** kafkajs logs in again when less of its session is left. */
export const sessionReserveMs = 2_000

/** Brokers reject a second login within a second, so a token that is used again makes a session that lasts longer. */
const minReuseMs = 2 * sessionReserveMs

/** The last token of this process for each login. */
const tokens = new Map<string, Promise<UsedToken>>()

interface UsedToken extends Token {
  /** From then on a new one is requested. */
  readonly renewMs: number
}

/**
 * A token that is valid for some time: a new one, or one of this process of which no more than 80% of the time has passed.
 * @throws OffstreamError TOKEN_FAILED
 */
export const validToken = (login: TokenLogin): Promise<Token> => {
  const key = JSON.stringify(login)
  const token = usedOrNew(login, tokens.get(key))
  tokens.set(key, token)
  return token
}

const usedOrNew = async (login: TokenLogin, last: Promise<UsedToken> | undefined): Promise<UsedToken> => {
  const used = await last?.catch(() => undefined)
  if (used !== undefined && Date.now() < used.renewMs) return used
  const token = await requestToken(login)
  const now = Date.now()
  const expiresMs = token.expires.getTime()
  return { ...token, renewMs: expiresMs - Math.max(0.2 * (expiresMs - now), minReuseMs) }
}

const tokenIn = (text: string, program: string): Token => {
  const expires = expiryIn(text)
  // Not the text: it may contain a token.
  if (expires === null) throw tokenFailed(program, 'did not print a JWT with the time `exp`')
  if (expires.getTime() <= Date.now())
    throw tokenFailed(program, `printed a token that expired at ${expires.toISOString()}`)
  return { value: text, expires }
}

const Claims = z.object({ exp: z.number() })

/** When a JWT expires; null if the text is not a JWT, or has no `exp`. */
const expiryIn = (text: string): Date | null => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString())
    const { exp } = Claims.parse(claims)
    return new Date(exp * 1_000)
  } catch {
    return null
  }
}

const tokenFailed = (program: string, what: string): OffstreamError =>
  new PipelineError('TOKEN_FAILED', `The command \`${program}\` of \`sasl.tokenCommand\` ${what}`)
