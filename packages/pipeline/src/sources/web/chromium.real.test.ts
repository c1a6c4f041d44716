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

test('a configured browser is taken as it is, and no other in its place', async () => {
  const configuredPath = join(directory, 'chromium')
  expect(await findChromium({ configuredPath })).toBe(configuredPath)
  for (const wrong of [directory, join(directory, 'nothing'), join(directory, 'google-chrome')])
    await expect(findChromium({ configuredPath: wrong })).rejects.toMatchObject({
      code: 'CHROMIUM_MISSING',
      outcome: 'prerequisite',
      message: `No program at \`${wrong}\``,
    })
})

test('an installed browser is found on the PATH; what can’t be run is passed over', async () => {
  vi.stubEnv('PATH', `relative:${directory}`)
  expect(await findChromium()).toBe(join(directory, 'chromium'))
})

// Where Playwright may download nothing, and `apt-get` is a small program of ours that comes before the real one.
describe.skipIf(process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get'))('as root on Debian', () => {
  const install = async (aptGet: string): Promise<{ lines: string[]; installed: Promise<string> }> => {
    const programs = await mkdtemp(join(directory, 'programs-'))
    await writeFile(join(programs, 'apt-get'), `#!/bin/sh\n${aptGet}\n`)
    await chmod(join(programs, 'apt-get'), 0o755)
    vi.stubEnv('PATH', `${programs}:/usr/bin:/bin`)
    vi.stubEnv('PLAYWRIGHT_DOWNLOAD_HOST', 'http://127.0.0.1:9')
    const lines: string[] = []
    return { lines, installed: installChromium(line => lines.push(line.replace(programs, ''))) }
  }
  const tried = [
    'Installing Chromium with `playwright install chromium`',
    'Installing Chromium with `apt-get install chromium`',
  ]

  test('the system’s package is installed where Playwright’s can’t be downloaded', async () => {
    const { lines, installed } = await install(
      'cd "$(dirname "$0")" && echo "$@" >> calls && ln -sf /bin/true google-chrome',
    )
    const path = await installed
    expect([basename(path), lines]).toEqual(['google-chrome', tried])
    expect(await readFile(join(dirname(path), 'calls'), 'utf8')).toBe(
      'update --quiet\ninstall --yes --quiet --no-install-recommends chromium\n',
    )
  })

  test('when nothing helps, it says what was tried and what to do', async () => {
    const { lines, installed } = await install('echo "E: no such package"; exit 100')
    await expect(installed).rejects.toMatchObject({
      code: 'CHROMIUM_MISSING',
      outcome: 'prerequisite',
      lastWords: [
        expect.stringContaining('`playwright install chromium`: '),
        '`apt-get install chromium`: E: no such package',
      ],
    })
    expect(lines).toEqual(tried)
  })
})
