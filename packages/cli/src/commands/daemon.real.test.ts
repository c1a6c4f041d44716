import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { daemonResponds, until } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'

const offstream = fileURLToPath(new URL('../../bin/offstream.js', import.meta.url))

test('SIGHUP, which a closed terminal sends, stops a daemon like SIGTERM', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-hangup-'))
  const daemon = spawn(process.execPath, [offstream, 'daemon', '--project', directory], { stdio: 'ignore' })
  onTestFinished(async () => {
    daemon.kill('SIGKILL')
    await rm(directory, { recursive: true, force: true })
  })
  const { run } = directoriesOf(stateFolder(directory, null))
  await until(
    async () => {
      if (!(await daemonResponds(run))) throw new Error('it does not respond yet')
    },
    { what: 'the daemon to respond', timeoutMs: 30_000 },
  )
  daemon.kill('SIGHUP')
  expect(await once(daemon, 'exit')).toEqual([143, null])
  expect(await daemonResponds(run)).toBe(false)
})
