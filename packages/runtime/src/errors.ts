/**
 * What a command can come to, and the exit status that says so. The numbers are a contract: scripts branch on them.
 * 3 and 4 follow the habit of `systemctl status` (3 = not running); 130 and 143 are 128 + the signal's number.
 */
export const exitStatus = {
  ok: 0,
  unexpected: 1,
  usage: 2,
  notRunning: 3,
  degraded: 4,
  config: 5,
  prerequisite: 6,
  portTaken: 7,
  timeout: 8,
  unreachable: 9,
  refused: 10,
  download: 11,
  failed: 12,
  locked: 13,
  blocked: 14,
  interrupted: 130,
  terminated: 143,
} as const

export type Outcome = keyof typeof exitStatus

export interface OffstreamErrorOptions {
  /** What the command came to; decides the exit status. */
  readonly outcome: Outcome
  /** The next step for the person, as a phrase that can follow "→". */
  readonly hint: string
  /** Last lines of the log of what failed, oldest first, where there is one. */
  readonly lastLogLines?: readonly string[]
  readonly cause?: unknown
}

/**
 * News for the person: something outside our code is not as it must be, and this says what, under a stable code,
 * and what to do next. Any other kind of error is a bug of ours and keeps its stack.
 */
export class OffstreamError extends Error {
  override readonly name = 'OffstreamError'
  readonly code: string
  readonly outcome: Outcome
  readonly hint: string
  readonly lastLogLines: readonly string[]

  constructor(code: string, message: string, options: OffstreamErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.outcome = options.outcome
    this.hint = options.hint
    this.lastLogLines = options.lastLogLines ?? []
  }
}

/** One line that says what `error` is about, whatever was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error)

/**
 * What the system answered where a file could not be written, as news for the person: a full disk or a missing right
 * is no bug of ours, wherever it is met. Null for any other error.
 */
export const fileErrorOf = (error: unknown): OffstreamError | null => {
  if (!(error instanceof Error) || error instanceof OffstreamError) return null
  const { code = '', syscall = '', path, address } = error as NodeJS.ErrnoException & { address?: unknown }
  const place = [path, address].find(one => typeof one === 'string' && one.startsWith('/'))
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new OffstreamError(
      'DISK_FULL',
      `There is no room left on the disk${place === undefined ? '' : `: \`${place}\` can't be written`}`,
      {
        outcome: 'prerequisite',
        hint: 'free some space (`offstream down` ends what runs also on a full disk), then try again',
        cause: error,
      },
    )
  const why = refusals[code]
  if (why === undefined || place === undefined || syscall.startsWith('spawn')) return null
  return new OffstreamError('FOLDER_UNWRITABLE', `\`${place}\` can't be used: ${why}`, {
    outcome: 'refused',
    hint:
      code === 'EROFS'
        ? 'make that disk writable, or use a folder on another'
        : 'make your user the owner (`sudo chown -R "$USER" <folder>`), or use a folder that you may write to',
    cause: error,
  })
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'the system does not permit it',
  EROFS: 'it lies on a disk that can only be read',
}
