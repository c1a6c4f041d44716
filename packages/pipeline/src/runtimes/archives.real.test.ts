import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Supervisor } from '@offstream/runtime'
import { expect, onTestFinished, test } from 'vitest'
import { assetPath } from '../project/assets.ts'
import { stateFolder } from '../project/directories.ts'
import { configOf } from '../project/layers.ts'
import { services } from '../services/table.ts'
import { freePorts } from '../stack/ports.ts'
import { ensureArchives } from './archives.ts'
import { ensureRuntimes } from './distributions.ts'

test('a service writes its start-up archive when it stops first, and reads it from then on', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-archives-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const ivySettings = assetPath(directory, 'config', 'ivysettings.xml')
  const runtimes = await ensureRuntimes({ environment: process.env, ivySettings })
  const config = configOf(await freePorts(configOf([]), new Set()))
  const stack = { project: directory, state: stateFolder(directory, null), config, runtimes }

  const runOnce = async () => {
    const archives = await ensureArchives(directory, runtimes)
    const supervisor = new Supervisor({ directory: join(directory, 'services'), onEvent: () => undefined })
    let mapped = ''
    try {
      await supervisor.start(
        services({ ...stack, archives })
          .filter(({ name }) => name === 'zookeeper')
          .map(service => ({
            ...service,
            ready: async signal => {
              await service.ready(signal)
              const { pid } = JSON.parse(
                await readFile(join(directory, 'services', 'zookeeper.json'), 'utf8'),
              )
              mapped = await readFile(`/proc/${pid}/maps`, 'utf8')
            },
          })),
      )
    } finally {
      await supervisor.stop()
    }
    return { made: archives.made, isMapped: mapped.includes('zookeeper.jsa') }
  }

  expect([await runOnce(), await runOnce()]).toEqual([
    { made: [], isMapped: false },
    { made: ['zookeeper'], isMapped: true },
  ])
})
