import { randomInt } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Config, freePorts, loadProject, numberAt, portPaths } from '@offstream/pipeline'
import { listenerOn, send, until } from '@offstream/runtime'
import { generateCatalogue, type Site, startSite } from '@offstream/site'
import { execa } from 'execa'
import { type Outcome, shown } from './shown.ts'
import { StatusContract } from './statusContract.ts'

/** The built command, as a shell would find it. */
const offstream = join(import.meta.dirname, '../../cli/bin/offstream.js')

export interface Ran extends Outcome {
  /** The outcome as text for snapshots. */
  readonly shown: string
}

interface RunOptions {
  /** Settings of the environment, beside those of this machine. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** What it reads from standard input; nothing where it is left out. */
  readonly input?: string
}

/** A call of the command that goes on; disposing of it asks it to end and waits until it has. */
interface Going extends AsyncDisposable {
  /** What it has written to standard output until now. */
  readonly stdout: () => string
  /** The same of standard error. */
  readonly stderr: () => string
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Promise<Ran>
}

/** A project of its own in a temporary folder, with free ports, and the command as its user calls it. */
export interface ScratchStack extends AsyncDisposable {
  readonly directory: string
  readonly config: Config
  /** Calls `offstream <args>` in the project's folder and waits for its end. */
  readonly run: (args: readonly string[], options?: RunOptions) => Promise<Ran>
  /** The last JSON object that `offstream <args> --json` wrote: its result. */
  readonly json: (args: readonly string[], options?: RunOptions) => Promise<unknown>
  /** Calls it and does not wait. */
  readonly begin: (args: readonly string[]) => Going
  /** Every process that still runs because of this project, as `<pid> <command line>`. */
  readonly processes: () => Promise<readonly string[]>
  /** Its ports on which somebody listens. */
  readonly listening: () => Promise<readonly number[]>
}

/** A site, and a stack that is ready to scrape it. Disposing of it ends both, the stack as `scratchStack` says. */
export interface StartedPipeline extends AsyncDisposable {
  readonly site: Site
  readonly stack: ScratchStack
}

/**
 * Waits until everything is healthy and the table has all that the topic has, and until `conditions` hold with it.
 * @returns the status that shows it
 */
export const arrived = async (
  stack: ScratchStack,
  ...conditions: readonly string[]
): Promise<StatusContract> => {
  const all = ['healthy', 'lag=0', ...conditions].flatMap(condition => ['--for', condition])
  const { stdout, shown, exitCode } = await stack.run(['wait', ...all, '--timeout', '4m', '--json'])
  if (exitCode !== 0) throw new Error(shown)
  return StatusContract.parse(JSON.parse(stdout.split('\n').at(-1) ?? '').status)
}

/** A site of `count` invented products, and a stack with all its services and the job. */
export const startedPipeline = async (count: number): Promise<StartedPipeline> => {
  const site = await startSite({ catalogue: generateCatalogue({ count }) })
  const stack = await scratchStack()
  const pipeline = {
    site,
    stack,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await stack[Symbol.asyncDispose]()
    },
  }
  for (const command of ['up', 'submit']) {
    const { exitCode, shown } = await stack.run([command])
    if (exitCode === 0) continue
    await pipeline[Symbol.asyncDispose]()
    throw new Error(shown)
  }
  return pipeline
}

/**
 * Makes the project; nothing of it runs yet. Disposing of it calls `offstream down`, and throws where anything is left
 * then: a process, a listener, a temporary file.
 */
export const scratchStack = async (settings: readonly string[] = []): Promise<ScratchStack> => {
  // The real path, so that it can be found in what is written.
  // With a space and a letter beyond ASCII, as folders of people have them.
  const scratch = await realpath(await mkdtemp(join(tmpdir(), 'offstream é2e-')))
  const directory = join(scratch, 'project')
  const temporary = join(scratch, 'tmp')
  await mkdir(directory)
  await mkdir(temporary)
  const config = await freeConfig(directory, settings)
  await writeFile(join(directory, 'offstream.yaml'), `${JSON.stringify(config, null, 2)}\n`)

  const optionsOf = ({ env = {}, cwd = directory, input = '' }: RunOptions = {}) =>
    ({
      cwd,
      input,
      env: { ...machine(), TMPDIR: temporary, NO_COLOR: '1', ...env },
      extendEnv: false,
      reject: false,
    }) as const
  const call = (args: readonly string[], options?: RunOptions) => {
    const child = execa(process.execPath, [offstream, ...args], optionsOf(options))
    const ended = child.then(({ stdout, stderr, exitCode }): Ran => {
      const ran = { stdout, stderr, exitCode }
      return { ...ran, shown: shown(ran, scratch, config) }
    })
    return { child, ended }
  }
  const run = (args: readonly string[], options?: RunOptions) => call(args, options).ended
  const begin = (args: readonly string[]): Going => {
    const { child, ended } = call(args)
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
      ended,
      async [Symbol.asyncDispose]() {
        child.kill()
        await ended
      },
    }
  }
  // It is the temporary folder, or that of the project is, of every process that the command starts: services, daemons,
  // browsers.
  const processes = () => processesWith(scratch)
  const listening = async () => {
    const ports = portPaths.map(path => numberAt(config, path))
    const holders = await Promise.all(ports.map(listenerOn))
    return ports.filter((_, index) => holders[index] !== null)
  }
  return {
    directory,
    config,
    run,
    begin,
    json: async (args, options) => {
      const { stdout, stderr } = await run([...args, '--json'], options)
      const last = stdout.split('\n').at(-1) ?? ''
      if (last === '') throw new Error(`\`offstream ${args.join(' ')} --json\` wrote nothing: ${stderr}`)
      return JSON.parse(last)
    },
    processes,
    listening,
    async [Symbol.asyncDispose]() {
      const down = await run(['down'])
      const left = await remains({ processes, listening, temporary }).catch(error => error.message)
      // What a failed test leaves must not disturb the next one.
      for (const line of await processes()) send(Number.parseInt(line, 10), 'SIGKILL')
      await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
      // What took the path for an address has written elsewhere.
      if (existsSync(encodeURI(scratch))) throw new Error(`there is something in ${encodeURI(scratch)}`)
      if (down.exitCode !== 0) throw new Error(`\`offstream down\` failed:\n${down.shown}`)
      if (left !== null) throw new Error(`\`offstream down\` left something behind: ${left}`)
    },
  }
}

/**
 * A configuration whose ports are free: from a random start, so that two runs side by side meet nowhere, and below the
 * range from which systems give ports to outgoing connections.
 */
const freeConfig = async (directory: string, settings: readonly string[]): Promise<Config> => {
  const first = 20_000 + 10 * randomInt(1_200)
  const wished = portPaths.map((path, index) => `${path}=${first + index}`)
  const load = async (all: readonly string[]) =>
    (await loadProject({ from: directory, environment: {}, settings: all })).config
  const chosen = await freePorts(await load(wished), new Set())
  return load([...wished, ...chosen, ...settings])
}

/** The environment without what would make the command behave otherwise than on a user's machine. */
const machine = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value === undefined || /^(OFFSTREAM_(?!CACHE$)|VITEST|NODE_ENV$|CI$|FORCE_COLOR$)/.test(name)
        ? []
        : [[name, value]],
    ),
  )

/** Null where nothing is left, once what is on its way out has had a moment; else a DeadlineError that names it. */
const remains = async ({
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
    { what: 'the last of it to end', timeoutMs: 10_000 },
  )

/** Processes in whose environment the path `folder` stands. */
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
