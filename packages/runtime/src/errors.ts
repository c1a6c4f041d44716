import { dirname } from 'node:path'

/**
 * The outcome of a command and its exit status. The numbers are a contract: scripts branch on them.
 * 3 and 4 follow `systemctl status` (3 = not running); 130 and 143 are 128 + the signal number.
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

/** The name of an exit status. */
export type Outcome = keyof typeof exitStatus

/** One row of a package's table of error codes. `docs/errors.md` and `offstream explain` are made from these. */
export interface ErrorDefinition {
  /** Decides the exit status. */
  readonly outcome: Outcome
  /** What happened, in one or two sentences of Markdown. */
  readonly cause: string
  /** What the user can do, as Markdown. */
  readonly remedy: string
}

export interface OffstreamErrorOptions {
  /** The next step for the user, as a phrase that can follow "→". Without it, the remedy of the code's definition. */
  readonly hint?: string
  /** Last lines of the log of the process that failed, oldest first. */
  readonly lastLogLines?: readonly string[]
  readonly cause?: unknown
}

/**
 * An error for the user: something outside our code is wrong. It has a stable code, says what happened and names the
 * next step. Any other kind of error is a bug in offstream and keeps its stack.
 *
 * Thrown through the class of a package (`RuntimeError`, …), which knows the package's codes.
 */
export class OffstreamError extends Error {
  override readonly name = 'OffstreamError'
  readonly code: string
  readonly outcome: Outcome
  readonly hint: string
  readonly lastLogLines: readonly string[]

  constructor(
    code: string,
    message: string,
    options: OffstreamErrorOptions & { readonly outcome: Outcome; readonly hint: string },
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.outcome = options.outcome
    this.hint = options.hint
    this.lastLogLines = options.lastLogLines ?? []
  }
}

/**
 * The error class of a package.
 * @param definitions its error codes; each code has one outcome, wherever it is thrown
 */
export const errorClass = <Code extends string>(definitions: Readonly<Record<Code, ErrorDefinition>>) =>
  class extends OffstreamError {
    constructor(code: Code, message: string, options: OffstreamErrorOptions = {}) {
      const { outcome, remedy } = definitions[code]
      super(code, message, { ...options, outcome, hint: options.hint ?? phraseOf(remedy) })
    }
  }

/** A remedy as a phrase that can follow "→": no capital, and no full stop after a single sentence. */
const phraseOf = (remedy: string): string => {
  const phrase = remedy.charAt(0).toLowerCase() + remedy.slice(1)
  return phrase.includes('. ') ? phrase : phrase.replace(/\.$/, '')
}

/** The codes that this package throws. */
export const runtimeErrors = {
  CHECKSUM_MISMATCH: {
    outcome: 'download',
    cause: 'The SHA-256 of a downloaded or cached file differs from the pinned one.',
    remedy:
      'Download it again with `offstream runtime install`. If it differs again, do not trust the server that it comes from.',
  },
  CURRENT_FOLDER_MISSING: {
    outcome: 'usage',
    cause: 'The folder in which the command was run was deleted.',
    remedy: 'Change to a folder that exists.',
  },
  DAEMON_FAILED: {
    outcome: 'failed',
    cause:
      'The daemon (the background process that owns the services) could not start; its last log lines are shown.',
    remedy:
      'Run `offstream up --foreground`, which shows more output. `offstream down` works without the daemon.',
  },
  DAEMON_LOST: {
    outcome: 'unexpected',
    cause: 'The daemon (the background process that owns the services) exited while a command waited for it.',
    remedy: 'Run the command again: it adopts running services, and cleans up after killed ones.',
  },
  DAEMON_UNRESPONSIVE: {
    outcome: 'timeout',
    cause:
      'The daemon (the background process that owns the services) accepts connections but does not respond: it was stopped (SIGSTOP), or it hangs.',
    remedy:
      'Resume it with `kill -CONT <pid>`, or kill it with `kill -9 <pid>`; the message contains the pid. The next command takes over the running services.',
  },
  DISK_FULL: {
    outcome: 'prerequisite',
    cause: 'The disk is full, or has too little space for a download.',
    remedy:
      'Free some space, or set `OFFSTREAM_CACHE` to a folder on another disk. `offstream down` works on a full disk too.',
  },
  DOWNLOAD_FAILED: {
    outcome: 'download',
    cause:
      'pip, or Ivy (which downloads the Java libraries), failed; the last lines of its output are shown.',
    remedy:
      'Check the network. pip uses its own proxy and mirror configuration, Ivy uses `config/ivysettings.xml`.',
  },
  FOLDER_INSECURE: {
    outcome: 'refused',
    cause:
      'The path of the project is too long for a socket, so the socket of its daemon is in `/tmp`, and other users can write to its folder there.',
    remedy: 'Delete that folder, or move the project to a shorter path.',
  },
  FOLDER_REMOVED: {
    outcome: 'failed',
    cause: '`.offstream` was deleted or moved while its services were running; the daemon stopped them.',
    remedy:
      'Run `offstream up`. Before you delete a stack run `offstream down`, or delete it with `offstream reset --all`.',
  },
  FOLDER_UNWRITABLE: {
    outcome: 'refused',
    cause:
      'The operating system denies access to a file or folder; the message contains the path and the reason.',
    remedy: 'Change its owner or its permissions, or use a folder that you can write to.',
  },
  PORT_TAKEN: {
    outcome: 'portTaken',
    cause: 'Another program is listening on a required port; the message names the program and its pid.',
    remedy:
      'Stop it, or choose another port, with the setting that the message names or with `offstream up --ports auto`.',
  },
  PYTHON_VENV_MISSING: {
    outcome: 'prerequisite',
    cause: 'The `venv` module of Python is missing.',
    remedy: 'Install it (Debian, Ubuntu: `python3-venv`).',
  },
  SERVICE_EXITED: {
    outcome: 'failed',
    cause: 'A service exited before it was ready; its last log lines are shown.',
    remedy: 'Follow the hint, or read the log that it names.',
  },
  SERVICE_NOT_READY: {
    outcome: 'timeout',
    cause: 'A service is running but did not become ready in time; its last log lines are shown.',
    remedy: 'Follow the hint, or read the log that it names.',
  },
  STACK_BUSY: {
    outcome: 'locked',
    cause: 'Another command is changing this stack.',
    remedy: 'Try again when it has finished.',
  },
  START_INTERRUPTED: {
    outcome: 'locked',
    cause: '`offstream down` or another command stopped the services while they were starting.',
    remedy: 'Run `offstream up`.',
  },
  TMPDIR_MISSING: {
    outcome: 'prerequisite',
    cause: 'The folder for temporary files, which the environment variable `TMPDIR` names, does not exist.',
    remedy: 'Create that folder, or unset `TMPDIR`.',
  },
} as const satisfies Readonly<Record<string, ErrorDefinition>>

export class RuntimeError extends errorClass(runtimeErrors) {}

/** One line that says what `error` is about, whatever was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error)

/**
 * An error of the file system as an error for the user: a full disk or a missing permission is not a bug in offstream,
 * wherever it occurs. Null for any other error.
 */
export const fileErrorOf = (error: unknown): OffstreamError | null => {
  if (!(error instanceof Error) || error instanceof OffstreamError) return null
  const { code = '', syscall = '', path, address } = error as NodeJS.ErrnoException & { address?: unknown }
  const place = [path, address].find(one => typeof one === 'string' && one.startsWith('/'))
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new RuntimeError(
      'DISK_FULL',
      `The disk is full${place === undefined ? '' : `: \`${place}\` cannot be written`}`,
      {
        hint: 'free some space (`offstream down` works on a full disk too), then try again',
        cause: error,
      },
    )
  if (syscall === 'uv_cwd' || error.message.endsWith('uv_cwd'))
    return new RuntimeError('CURRENT_FOLDER_MISSING', 'The current folder was deleted', { cause: error })
  if (code === 'ENOENT' && syscall === 'mkdtemp' && path !== undefined)
    return new RuntimeError(
      'TMPDIR_MISSING',
      `The folder for temporary files does not exist: \`${dirname(path)}\` (TMPDIR)`,
      { cause: error },
    )
  const why = refusals[code]
  if (why === undefined || place === undefined || syscall.startsWith('spawn')) return null
  return new RuntimeError('FOLDER_UNWRITABLE', `\`${place}\` cannot be used: ${why}`, {
    hint:
      code === 'EROFS'
        ? 'make that disk writable, or use a folder on another disk'
        : 'make your user the owner (`sudo chown -R "$USER" <folder>`), or use a folder that you can write to',
    cause: error,
  })
}

const refusals: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EROFS: 'the disk is read-only',
}
