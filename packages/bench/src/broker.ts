import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assetPath, brokersOf, configOf, ensureRuntimes, freePorts, services } from '@offstream/pipeline'
import { Supervisor } from '@offstream/runtime'

/** A broker with the topic, as started by `offstream up`, and a project that is configured for it. */
export interface ScratchBroker extends AsyncDisposable {
  /** `host:port`. */
  readonly address: string
  /** The project's folder, in which `offstream scrape` uses the broker. */
  readonly project: string
}

/** Starts a broker on free ports in a temporary folder. */
export const scratchBroker = async (): Promise<ScratchBroker> => {
  const project = await mkdtemp(join(tmpdir(), 'offstream-bench-'))
  const state = join(project, '.offstream')
  const config = configOf(await freePorts(configOf([]), new Set()))
  const runtimes = await ensureRuntimes({
    environment: process.env,
    ivySettings: assetPath(project, 'config', 'ivysettings.xml'),
  })
  await writeFile(join(project, 'offstream.yaml'), JSON.stringify(config))
  await mkdir(state, { mode: 0o700 })
  // In the folder of a stack's services, `offstream` would adopt these services.
  const supervisor = new Supervisor({ directory: join(project, 'services'), onEvent: () => undefined })
  const close = async () => {
    await supervisor.stop()
    await rm(project, { recursive: true, force: true })
  }
  try {
    await supervisor.start(
      services({ project, state, config, runtimes, archives: null }).filter(({ name }) =>
        brokerServices.includes(name),
      ),
    )
  } catch (error) {
    await close()
    throw error
  }
  return { address: brokersOf(config).join(','), project, [Symbol.asyncDispose]: close }
}

const brokerServices = ['zookeeper', 'kafka']
