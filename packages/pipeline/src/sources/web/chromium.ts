import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../../errors.ts'

/** The headless shell (built without windows), or a whole browser. */
export type ChromiumKind = 'headless-shell' | 'whole'

/** Which browser to find. */
export interface FindChromiumOptions {
  /** The browser of the configuration; then no other is used. */
  readonly configuredPath?: string
  /** The accepted kinds, the preferred one first; by default both, the headless shell first. */
  readonly kinds?: readonly ChromiumKind[]
}

/**
 * The path of an executable Chrome or Chromium: the configured one, otherwise an installed one, otherwise Playwright's
 * own; null without any. A headless shell is preferred to a whole browser: it starts with a third of the CPU time
 * and reads a page with two thirds (measured, see the README).
 *
 * @throws OffstreamError CHROMIUM_MISSING if the configured path is not an executable file
 */
export const findChromium = async ({
  configuredPath,
  kinds = ['headless-shell', 'whole'],
}: FindChromiumOptions = {}): Promise<string | null> => {
  if (configuredPath !== undefined) {
    if (await isExecutable(configuredPath)) return configuredPath
    throw new PipelineError('CHROMIUM_MISSING', `\`${configuredPath}\` is not an executable file`, {
      hint: 'correct `browser.executablePath` in the configuration, or omit it to use an installed browser',
    })
  }
  for (const path of kinds.flatMap(installedPaths)) {
    if (await isExecutable(path)) return path
  }
  if (!kinds.includes('whole')) return null
  const own = await playwrightChromium()
  return (await isExecutable(own)) ? own : null
}

/**
 * Installs a Chromium: Playwright's own into the cache of the user, or, if that cannot be downloaded, the package of the
 * distribution, as root on Debian or Ubuntu.
 *
 * @param report called with one line for each step
 * @returns the path of the installed browser
 * @throws OffstreamError CHROMIUM_MISSING with the failed attempts
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
    failures.push(`${name} did not install a browser`)
  }
  throw new PipelineError(
    'CHROMIUM_MISSING',
    'No Chrome or Chromium was found, and none could be installed',
    {
      hint: 'install Chrome or Chromium with the package manager of your distribution, or set `browser.executablePath`',
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
  // The packages of Debian. Ubuntu has them only as a snap.
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
    timeout: installTimeoutMs,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  })
}

const installTimeoutMs = 10 * 60_000

const lastLineOf = (error: unknown): string => {
  const all = error instanceof Error && 'all' in error && typeof error.all === 'string' ? error.all : ''
  return all.trim().split('\n').at(-1) || messageOf(error).split('\n')[0] || 'it failed'
}

/** The default names on the PATH, then the default folders of installers. */
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

// Loaded only when needed, so that `doctor` does not load Playwright if a browser is installed.
const playwrightChromium = async (): Promise<string> => (await import('playwright')).chromium.executablePath()

const playwrightCli = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('playwright/package.json')), 'cli.js')

const isExecutable = async (path: string): Promise<boolean> =>
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
