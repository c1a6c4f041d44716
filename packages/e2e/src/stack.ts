import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StringDecoder } from 'node:string_decoder'
import { stripVTControlCharacters } from 'node:util'
import { type Config, freePorts, listeningPorts, loadProject, numberAt, portPaths } from '@offstream/pipeline'
import { listenerOn, send, until } from '@offstream/runtime'
import { execa } from 'execa'
import { type Outcome, shown } from './shown.ts'

/** The built command. */
const offstream = join(import.meta.dirname, '../../cli/bin/offstream.js')

export interface Result extends Outcome {
  /** The outcome as text for snapshots. */
  readonly shown: string
}

export interface RunOptions {
  /** Environment variables that are added to those of this machine. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Standard input, by default empty. */
  readonly input?: string
}

/** A command that runs in the background. Disposal terminates it and waits for its exit. */
export interface RunningCommand extends AsyncDisposable {
  /** The standard output so far. */
  readonly stdout: () => string
  /** The standard error so far. */
  readonly stderr: () => string
  readonly signal: (signal: NodeJS.Signals) => void
  /** Resolves when the command exits. */
  readonly result: Promise<Result>
}

/** A command in its own terminal. Disposal kills it. */
export interface TerminalCommand extends AsyncDisposable {
  /** Sends keys: `\r` is Enter, `\x03` is Ctrl-C. */
  readonly type: (keys: string) => Promise<void>
  /** Waits until the terminal shows this, after what was already waited for. */
  readonly shows: (expected: string | RegExp) => Promise<void>
  readonly exitCode: Promise<number | undefined>
}

/** A project in a temporary folder, with free ports, and the command as its user calls it. */
export interface ScratchStack extends AsyncDisposable {
  readonly directory: string
  readonly config: Config
  /** Runs `offstream <args>` in the project's folder until it exits. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Result>
  /** Same as `run`, but throws unless the exit status is 0. */
  readonly succeed: (args: readonly string[], options?: RunOptions) => Promise<Result>
  /** The last JSON object that `offstream <args> --json` prints. */
  readonly json: (args: readonly string[], options?: RunOptions) => Promise<unknown>
  /** Starts `offstream <args>` in the background. */
  readonly start: (args: readonly string[]) => RunningCommand
  /** Runs a script in bash, in which `offstream` is the command; throws unless the exit status is 0. */
  readonly shell: (script: string) => Promise<{ readonly stdout: string }>
  /** Starts `offstream <args>` in a terminal. */
  readonly terminal: (args: readonly string[]) => TerminalCommand
  /** All running processes of this project, as `<pid> <command line>`. */
  readonly processes: () => Promise<readonly string[]>
  /** Waits until no process of this project has a command line that matches. */
  readonly waitUntilGone: (commandLine: RegExp) => Promise<void>
  /** The ports of the project's own services that have a listener. */
  readonly listening: () => Promise<readonly number[]>
}

/**
 * Creates the project and starts nothing. `yaml` has settings that differ from the defaults. Disposal runs `offstream down` and then throws if a process, a listener or a
 * temporary file is left.
 */
export const scratchStack = async (settings: readonly string[] = [], yaml = ''): Promise<ScratchStack> => {
  // The real path, so that `shown` finds it in the output. With the characters that a project path can have, from a
  // trailing blank to letters beyond ASCII.
  const root = await realpath(await mkdtemp(join(tmpdir(), 'offstream é2e-')))
  const scratch = join(root, "my $project's (1st) & +;=@~! ")
  const directory = join(scratch, 'project')
  const temporary = join(scratch, 'tmp')
  await mkdir(directory, { recursive: true })
  await mkdir(temporary)
  await writeFile(join(directory, 'offstream.yaml'), yaml)
  const config = await configWithFreePorts(directory, settings)
  await writeFile(join(directory, 'offstream.yaml'), `${JSON.stringify(config, null, 2)}\n`)

  const optionsOf = ({ env = {}, cwd = directory, input = '' }: RunOptions = {}) =>
    ({
      cwd,
      input,
      env: { ...userEnvironment(), TMPDIR: temporary, NO_COLOR: '1', ...env },
      extendEnv: false,
      reject: false,
    }) as const
  const call = (args: readonly string[], options?: RunOptions) => {
    const child = execa(process.execPath, [offstream, ...args], optionsOf(options))
    const result = child.then(({ stdout, stderr, exitCode }): Result => {
      const outcome = { stdout, stderr, exitCode }
      return { ...outcome, shown: shown(outcome, scratch, config) }
    })
    return { child, result }
  }
  const run = (args: readonly string[], options?: RunOptions) => call(args, options).result
  const start = (args: readonly string[]): RunningCommand => {
    const { child, result } = call(args)
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', chunk => {
      stdout += chunk
    })
    child.stderr.on('data', chunk => {
      stderr += chunk
    })
    return {
      stdout: () => stdout,
      stderr: () => stderr,
      signal: signal => child.kill(signal),
      result,
      async [Symbol.asyncDispose]() {
        child.kill()
        await result
      },
    }
  }
  const terminal = (args: readonly string[]): TerminalCommand => {
    const { input: _, ...options } = optionsOf({ env: { TERM: 'xterm-256color' } })
    const command = [process.execPath, offstream, ...args]
    const child = execa('python3', ['-c', pseudoTerminal, ...command], { ...options, stdin: 'pipe' })
    let [written, seen] = ['', 0]
    const decoder = new StringDecoder('utf8')
    child.stdout.on('data', chunk => {
      written += decoder.write(chunk)
    })
    return {
      type: async keys => void child.stdin.write(keys),
      shows: expected =>
        until(
          async () => {
            const rest = stripVTControlCharacters(written).slice(seen)
            const found = typeof expected === 'string' ? rest.indexOf(expected) : rest.search(expected)
            if (found === -1) throw new Error(`it shows ${JSON.stringify(rest)}`)
            seen +=
              found + (typeof expected === 'string' ? expected : (expected.exec(rest)?.[0] ?? '')).length
          },
          { what: `the terminal to show ${expected}`, timeoutMs: 60_000, intervalMs: 20 },
        ),
      exitCode: child.then(({ exitCode }) => exitCode),
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL')
        await child
      },
    }
  }
  // Every process that the command starts (service, daemon, browser) inherits the temporary folder or the project's path.
  const processes = () => processesWith(scratch)
  const listening = async () => {
    const ports = listeningPorts(config).map(path => numberAt(config, path))
    const holders = await Promise.all(ports.map(port => listenerOn(port)))
    return ports.filter((_, index) => holders[index] !== null)
  }
  return {
    directory,
    config,
    run,
    start,
    terminal,
    shell: async script => {
      const command = `offstream() { ${[process.execPath, offstream].map(word => `'${word}'`).join(' ')} "$@"; }`
      const { stdout, stderr, exitCode } = await execa('bash', ['-c', `${command}\n${script}`], optionsOf())
      if (exitCode !== 0) throw new Error(`\`${script}\` failed:\n${stdout}\n${stderr}`)
      return { stdout }
    },
    succeed: async (args, options) => {
      const result = await run(args, options)
      if (result.exitCode !== 0) throw new Error(`\`offstream ${args.join(' ')}\` failed:\n${result.shown}`)
      return result
    },
    json: async (args, options) => {
      const { stdout, stderr } = await run([...args, '--json'], options)
      const last = stdout.split('\n').at(-1) ?? ''
      if (last === '') throw new Error(`\`offstream ${args.join(' ')} --json\` printed nothing: ${stderr}`)
      return JSON.parse(last)
    },
    processes,
    waitUntilGone: commandLine =>
      until(
        async () => {
          const left = (await processes()).filter(line => commandLine.test(line))
          if (left.length > 0) throw new Error(left.join('\n'))
        },
        { what: `the processes that match ${commandLine} to exit`, timeoutMs: 20_000, intervalMs: 20 },
      ),
    listening,
    async [Symbol.asyncDispose]() {
      const down = await run(['down'])
      const left = await ensureNothingLeft({ processes, listening, temporary }).catch(error => error.message)
      // The remains of a failed test must not disturb the next test.
      for (const line of await processes()) send(Number.parseInt(line, 10), 'SIGKILL')
      await rm(root, { recursive: true, force: true, maxRetries: 5 })
      // A program that treats the path as a URL writes to the encoded path.
      if (existsSync(encodeURI(root))) throw new Error(`${encodeURI(root)} exists`)
      if (down.exitCode !== 0) throw new Error(`\`offstream down\` failed:\n${down.shown}`)
      if (left !== null) throw new Error(`\`offstream down\` left something behind: ${left}`)
    },
  }
}

/**
 * Settings that give every service of a project a free port. The ports start at a random number, so that two test runs
 * do not collide, and lie below the range that systems use for outgoing connections.
 */
export const freePortSettings = async (directory: string): Promise<string[]> => {
  const first = 20_000 + 10 * randomInt(1_200)
  const preferred = portPaths.map((path, index) => `${path}=${first + index}`)
  const { config } = await loadProject({ from: directory, environment: {}, settings: preferred })
  return [...preferred, ...(await freePorts(config, new Set()))]
}

const configWithFreePorts = async (directory: string, settings: readonly string[]): Promise<Config> => {
  const all = [...(await freePortSettings(directory)), ...settings]
  return (await loadProject({ from: directory, environment: {}, settings: all })).config
}

/** Node has no pseudo-terminals, and Python, which offstream needs, does. A wide one, so that no line is wrapped. */
const pseudoTerminal = `
import fcntl, os, pty, select, struct, sys, termios
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
    os.execv(sys.argv[1], sys.argv[1:])
def read(file):
    try:
        return os.read(file, 65536)
    except OSError:  # On Linux, the other end is closed.
        return b""
while True:
    ready = select.select([terminal, 0], [], [])[0]
    shown = read(terminal) if terminal in ready else None
    if shown == b"":
        break
    os.write(1, shown or b"")
    if 0 in ready:
        os.write(terminal, read(0) or b"\\x04")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`

/** The environment without the variables that change the command's behaviour in tests and CI. */
const userEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(OFFSTREAM_(?!CACHE$)|VITEST|NODE_ENV$|CI$|FORCE_COLOR$)/.test(name)
        ? []
        : [[name, value]],
    ),
  )

/** Null if nothing is left after a grace period, otherwise a DeadlineError that lists what is left. */
const ensureNothingLeft = async ({
  processes,
  listening,
  temporary,
}: Pick<ScratchStack, 'processes' | 'listening'> & { readonly temporary: string }): Promise<null> =>
  until(
    async () => {
      const left = [...(await processes()), ...(await listening()).map(port => `a listener on port ${port}`)]
      const files = (await readdir(temporary)).map(file => `the temporary file ${file}`)
      if (left.length + files.length > 0) throw new Error([...left, ...files].join('\n'))
      return null
    },
    { what: 'the last process to exit', timeoutMs: 10_000 },
  )

/** Processes whose environment contains the path `folder`. */
const processesWith = async (folder: string): Promise<readonly string[]> => {
  if (process.platform !== 'linux') {
    const { stdout } = await execa('ps', ['-axEww', '-o', 'pid=,command='], { reject: false })
    return stdout.split('\n').filter(line => line.includes(folder))
  }
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const [environment, command] = await Promise.all(
        ['environ', 'cmdline'].map(file => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      )
      return environment?.includes(folder) ? [`${pid} ${command?.replaceAll('\0', ' ').trim()}`] : []
    }),
  )
  return found.flat()
}
