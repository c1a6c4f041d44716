import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { findChromium, installChromium } from './chromium.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'offstream-chromium-'))
  await writeFile(join(directory, 'chromium'), '#!/bin/sh\n')
  await chmod(join(directory, 'chromium'), 0o755)
  await writeFile(join(directory, 'google-chrome'), 'not a program')
})
afterAll(() => rm(directory, { recursive: true }))
afterEach(() => {
  vi.unstubAllEnvs()
})

test('a configured browser is used, and no other in its place', async () => {
  const configuredPath = join(directory, 'chromium')
  expect(await findChromium({ configuredPath })).toBe(configuredPath)
  for (const wrong of [directory, join(directory, 'nothing'), join(directory, 'google-chrome')])
    await expect(findChromium({ configuredPath: wrong })).rejects.toMatchObject({
      code: 'CHROMIUM_MISSING',
      outcome: 'prerequisite',
      message: `\`${wrong}\` is not an executable file`,
    })
})

test('an installed browser is found on the PATH; files that are not executable are ignored', async () => {
  vi.stubEnv('PATH', `relative:${directory}`)
  expect(await findChromium()).toBe(join(directory, 'chromium'))
})

test('a headless shell is preferred to a whole browser, wherever on the PATH it is', async () => {
  const later = await mkdtemp(join(directory, 'later-'))
  await writeFile(join(later, 'chromium-headless-shell'), '#!/bin/sh\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${directory}:${later}`)
  expect(await findChromium()).toBe(join(later, 'chromium-headless-shell'))
  expect(await findChromium({ kinds: ['whole'] })).toBe(join(directory, 'chromium'))
  vi.stubEnv('PATH', directory)
  expect(await findChromium({ kinds: ['headless-shell'] })).toBe(null)
})

// Playwright cannot download here, and `apt-get` is a script of the test that comes first on the PATH.
describe.skipIf(process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))('as root on Debian', () => {
  const install = async (aptGet: string): Promise<{ lines: string[]; installed: Promise<string> }> => {
    const programs = await mkdtemp(join(directory, 'programs-'))
    await writeFile(join(programs, 'apt-get'), `#!/bin/sh\ncd ${programs}\n${aptGet}\n`)
    await chmod(join(programs, 'apt-get'), 0o755)
    // Hides the browsers of this machine.
    vi.stubEnv('PATH', programs)
    vi.stubEnv('PLAYWRIGHT_DOWNLOAD_HOST', 'http://127.0.0.1:9')
    const lines: string[] = []
    return { lines, installed: installChromium(line => lines.push(line.replace(programs, ''))) }
  }
  const tried = [
    'Installing Chromium with `playwright install chromium`',
    'Installing Chromium with `apt-get install chromium-headless-shell`',
    'Installing Chromium with `apt-get install chromium`',
  ]
  const calls = (...packages: string[]) =>
    packages.map(name => `update --quiet\ninstall --yes --quiet --no-install-recommends ${name}\n`).join('')
  const record = 'echo "$@" >> calls'

  test('the package of the distribution is installed if Playwright’s browser cannot be downloaded', async () => {
    const { lines, installed } = await install(`${record} && /bin/ln -sf /bin/true chromium-headless-shell`)
    const path = await installed
    expect([basename(path), lines]).toEqual(['chromium-headless-shell', tried.slice(0, 2)])
    expect(await readFile(join(dirname(path), 'calls'), 'utf8')).toBe(calls('chromium-headless-shell'))
  })

  test('a whole browser is installed if the headless shell has no package', async () => {
    const onlyWhole = `case "$*" in *headless-shell) exit 100; esac; /bin/ln -sf /bin/true google-chrome`
    const { lines, installed } = await install(`${record}; ${onlyWhole}`)
    const path = await installed
    expect([basename(path), lines]).toEqual(['google-chrome', tried])
    expect(await readFile(join(dirname(path), 'calls'), 'utf8')).toBe(
      calls('chromium-headless-shell', 'chromium'),
    )
  })

  test('if every attempt fails, the error lists the attempts and the fix', async () => {
    const { lines, installed } = await install('echo "E: no such package"; exit 100')
    await expect(installed).rejects.toMatchObject({
      code: 'CHROMIUM_MISSING',
      outcome: 'prerequisite',
      lastLogLines: [
        expect.stringContaining('`playwright install chromium`: '),
        '`apt-get install chromium-headless-shell`: E: no such package',
        '`apt-get install chromium`: E: no such package',
      ],
    })
    expect(lines).toEqual(tried)
  })
})
