import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { identify } from '../processes.ts'
import { until } from '../until.ts'
import { ensurePythonEnvironment } from './python.ts'

test('making an environment can be aborted', async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-python-'))
  onTestFinished(() => rm(root, { recursive: true }))
  const python = join(root, 'python')
  const pidFile = join(root, 'pid')
  await writeFile(python, `#!/bin/sh\necho $$ > ${pidFile}\nexec sleep 60\n`, { mode: 0o755 })
  const abort = new AbortController()
  const making = ensurePythonEnvironment(
    {
      ...{ name: 'hive', directory: join(root, 'cache', 'hive'), python, env: {}, requirements: [] },
      ...{ downloadBytes: 0, installedBytes: 0 },
    },
    { signal: abort.signal },
  )
  const outcome = expect(making).rejects.toThrow('enough')
  const pid = await until(
    async () => Number((await readFile(pidFile, 'utf8')).trim()) || Promise.reject(new Error('not yet')),
    { what: 'it to start', timeoutMs: 5_000 },
  )
  abort.abort(new Error('enough'))
  await outcome
  expect([await identify(pid), await readdir(join(root, 'cache'))]).toEqual([null, []])
})

test('an environment whose Python was uninstalled is made again', async () => {
  const root = await mkdtemp(join(tmpdir(), 'offstream-python-'))
  onTestFinished(() => rm(root, { recursive: true }))
  // Makes a link to itself, as `python -m venv` does.
  const script = '#!/bin/sh\nmkdir -p "$3/bin" && ln -s "$0" "$3/bin/python"\n'
  const environmentOf = async (python: string) => {
    await writeFile(join(root, python), script, { mode: 0o755 })
    return {
      ...{
        name: 'hive',
        directory: join(root, 'cache', 'hive'),
        python: join(root, python),
        requirements: [],
      },
      ...{ env: { PATH: process.env['PATH'] ?? '' }, downloadBytes: 0, installedBytes: 0 },
    }
  }
  const old = await environmentOf('python3.11')
  const made = [await ensurePythonEnvironment(old), await ensurePythonEnvironment(old)]
  await rm(old.python)
  const again = await ensurePythonEnvironment(await environmentOf('python3.12'))
  expect([...made, again]).toEqual([true, false, true])
})
