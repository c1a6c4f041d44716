import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Host } from '../guest/host.ts'
import { SharedBrowser } from './browser.ts'

/** The error of a visit with a browser that prints these lines to standard error and exits. */
const failure = async (...lines: readonly string[]): Promise<unknown> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-browser-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const executablePath = join(directory, 'chromium')
  const script = `#!/bin/sh\ncat >&2 <<'LINES'\n${lines.join('\n')}\nLINES\nexit 1\n`
  await writeFile(executablePath, script, { mode: 0o755 })
  await using browser = new SharedBrowser({
    ...{ executablePath, userAgent: 'offstream-test', host: new Host('http://127.0.0.1:9') },
  })
  return browser
    .visit({
      ...{ address: 'http://127.0.0.1:9/', loadScripts: false, signal: new AbortController().signal },
      read: async () => null,
    })
    .catch(error => error)
}

// As Chromium 128 prints them.
test.each([
  [
    'without user namespaces (Ubuntu 23.10 and newer)',
    '[22:22:0101/1:FATAL:zygote_host_impl_linux.cc(128)] No usable sandbox! If you are running on Ubuntu 23.10+ or another Linux distro that has disabled unprivileged user namespaces with AppArmor, see https://chromium.googlesource.com/chromium/src/+/main/docs/security/apparmor-userns-restrictions.md.',
  ],
  [
    'with a SUID helper of the wrong owner',
    '[22:22:0101/1:FATAL:setuid_sandbox_host.cc(163)] The SUID sandbox helper binary was found, but is not configured correctly. Rather than run without sandboxing I am aborting now.',
  ],
])('a browser that cannot use its sandbox, here %s, has a hint with the fix', async (_what, line) => {
  expect(await failure(line)).toMatchObject({
    ...{ code: 'CHROMIUM_FAILED', outcome: 'prerequisite' },
    message: expect.stringMatching(
      /^`\/.+\/chromium` does not start: its sandbox does not work on this system$/,
    ),
    hint: expect.stringMatching(
      /^install Chrome or Chromium with .*, or allow .* `sudo sysctl -w kernel\.apparmor_restrict_unprivileged_userns=0`$/,
    ),
    lastLogLines: expect.arrayContaining([expect.stringContaining(line.slice(0, 80))]),
  })
})

test('a browser that exits for another reason shows its last log lines', async () => {
  expect(await failure('error while loading shared libraries: libnss3.so')).toMatchObject({
    ...{ code: 'CHROMIUM_FAILED', hint: expect.stringContaining('run it manually') },
    message: expect.stringMatching(/ does not start$/),
    lastLogLines: expect.arrayContaining([expect.stringContaining('libnss3.so')]),
  })
})
