import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'

/** A browser without windows, which was built so, or one that can have some. */
export type ChromiumKind = 'headless-shell' | 'whole'

export interface FindChromiumOptions {
  /** A browser that the configuration names; then no other will do. */
  readonly configuredPath?: string
  /** Which kinds will do, the one to prefer first; by default both, the headless shell first. */
  readonly kinds?: readonly ChromiumKind[]
}

/**
 * The path of a Chrome or Chromium that can be run: the configured one, else an installed one, else Playwright's own;
 * null where there is none. A headless shell comes before a whole browser: it starts with a third of the processor time
 * and reads a page with two thirds (measured, see the README).
 *
 * @throws OffstreamError CHROMIUM_MISSING where the configured path holds no program.
 */
export const findChromium = async ({
  configuredPath,
  kinds = ['headless-shell', 'whole'],
}: FindChromiumOptions = {}): Promise<string | null> => {
  if (configuredPath !== undefined) {
    if (await isProgram(configuredPath)) return configuredPath
    throw new PipelineError('CHROMIUM_MISSING', `No program at \`${configuredPath}\``, {
      hint: 'correct `browser.executablePath` in the configuration, or leave it out to have one found',
    })
  }
  for (const path of kinds.flatMap(installedPaths)) {
    if (await isProgram(path)) return path
  }
  if (!kinds.includes('whole')) return null
  const own = await playwrightsOwn()
  return (await isProgram(own)) ? own : null
}

/**
 * Installs a Chromium: Playwright's own into the user's cache; where that can't be downloaded, the system's package,
 * if we are root on a Debian or Ubuntu.
 *
 * @param report takes one line for each step, for the progress display
 * @returns the path of the installed browser
 * @throws OffstreamError CHROMIUM_MISSING, saying what was tried.
 */
export const installChromium = async (
  report: (line: string) => void,
  signal?: AbortSignal,
): Promise<string> => {
  const failures: string[] = []
  for (const { name, possible, commands } of installers()) {
    if (!(await possible())) continue
    report(`Installing Chromium with ${name}`)
    try {
      for (const [file, ...args] of commands) await run(file, args, signal)
    } catch (error) {
      signal?.throwIfAborted()
      failures.push(`${name}: ${lastLineOf(error)}`)
      continue
    }
    const path = await findChromium()
    if (path !== null) return path
    failures.push(`${name} left no browser`)
  }
  throw new PipelineError(
    'CHROMIUM_MISSING',
    'No Chrome or Chromium was found, and none could be installed',
    {
      hint: 'install Chrome or Chromium with your system’s package manager, or name one in `browser.executablePath`',
      lastLogLines: failures,
    },
  )
}

interface Installer {
  readonly name: string
  readonly possible: () => Promise<boolean>
  readonly commands: readonly (readonly [file: string, ...args: string[]])[]
}

const installers = (): readonly Installer[] => [
  {
    name: '`playwright install chromium`',
    possible: async () => true,
    commands: [[process.execPath, playwrightCli(), 'install', 'chromium']],
  },
  // Debian's; Ubuntu has neither but as a snap.
  ...['chromium-headless-shell', 'chromium'].map(
    (name): Installer => ({
      name: `\`apt-get install ${name}\``,
      possible: async () => process.getuid?.() === 0 && (await isDebian()),
      commands: [
        ['apt-get', 'update', '--quiet'],
        ['apt-get', 'install', '--yes', '--quiet', '--no-install-recommends', name],
      ],
    }),
  ),
]

const run = async (file: string, args: readonly string[], signal: AbortSignal | undefined) => {
  const { execa } = await import('execa')
  return execa(file, args, {
    all: true,
    stdin: 'ignore',
    timeout: installWithinMs,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  })
}

const installWithinMs = 10 * 60_000

const lastLineOf = (error: unknown): string => {
  const all = error instanceof Error && 'all' in error && typeof error.all === 'string' ? error.all : ''
  return all.trim().split('\n').at(-1) || messageOf(error).split('\n')[0] || 'it failed'
}

/** The usual names on the PATH, then the places where installers for the whole machine put them. */
const installedPaths = (kind: ChromiumKind): readonly string[] => {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute)
  const onPath = defaultNames[kind].flatMap(name => directories.map(directory => join(directory, name)))
  return kind === 'whole' ? [...onPath, ...defaultLocations()] : onPath
}

const defaultNames: Readonly<Record<ChromiumKind, readonly string[]>> = {
  'headless-shell': ['chromium-headless-shell', 'chrome-headless-shell'],
  whole: ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome'],
}

const defaultLocations = (): readonly string[] =>
  process.platform === 'darwin'
    ? [
        '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
        '/Applications/Chromium.app/Contents/MacOS/Chromium',
      ]
    : ['/opt/google/chrome/chrome', '/usr/lib/chromium/chromium', '/snap/bin/chromium']

// Loaded only here: `doctor` looks for a browser without paying for all of Playwright when one is installed.
const playwrightsOwn = async (): Promise<string> => (await import('playwright')).chromium.executablePath()

const playwrightCli = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js')

const isProgram = async (path: string): Promise<boolean> =>
  (await stat(path).then(
    found => found.isFile(),
    () => false,
  )) &&
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

const isDebian = async (): Promise<boolean> =>
  /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(await readFile('/etc/os-release', 'utf8').catch(() => ''))
