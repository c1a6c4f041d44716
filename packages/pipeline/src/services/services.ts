import { mkdir } from 'node:fs/promises'
import type { Service } from '@offstream/runtime'
import { type ServiceName, serviceNames } from '../names.ts'
import { directoriesOf } from '../project/directories.ts'
import { kafka, zookeeper } from './kafka.ts'
import { diagnose } from './knownProblems.ts'
import { productsStream, sparkMaster, sparkWorker, thrift } from './spark.ts'
import type { Surroundings } from './surroundings.ts'

/** The services of `up`. */
export const stackServices: readonly ServiceName[] = serviceNames.filter(name => name !== 'products-stream')

/** What services are built from; their folders lie below `state`. */
export interface ServicesOptions extends Omit<Surroundings, 'directories'> {
  /** The state folder of the stack. */
  readonly state: string
}

/** Every service of a stack as data: what to run, what it needs, and the question that tells that it is ready. */
export const services = ({ state, ...options }: ServicesOptions): readonly Service[] => {
  const surroundings = { ...options, directories: directoriesOf(state) }
  const all = [zookeeper, kafka, sparkMaster, sparkWorker, thrift, productsStream].map(service =>
    service(surroundings),
  )
  const { temporary } = surroundings.directories
  return all.map(service => ({
    ...service,
    prepare: async signal => {
      await mkdir(temporary, { recursive: true, mode: 0o700 })
      await service.prepare?.(signal)
    },
    diagnose,
    ...(options.archives?.making === true ? { stopTimeoutMs: archiveWithinMs } : {}),
  }))
}

/** Writing an archive, beside five others on two cores, is the last thing that a program does. */
const archiveWithinMs = 90_000

/** Beginnings of the settings that each service is started with; `host` is everybody's. */
const settingsOfService: Readonly<Record<ServiceName, readonly string[]>> = {
  zookeeper: ['zookeeper.'],
  kafka: ['kafka.'],
  'spark-master': ['spark.port', 'spark.webPort'],
  'spark-worker': ['spark.worker.'],
  thrift: ['thrift.'],
  'products-stream': ['stream.'],
}

/** Whether a service has to be started anew for a change of the setting `path` to count. */
export const isStartedWith = (name: ServiceName, path: string): boolean =>
  path === 'host' || settingsOfService[name].some(beginning => path.startsWith(beginning))
