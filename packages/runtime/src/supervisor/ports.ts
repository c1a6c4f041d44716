import { type OffstreamError, RuntimeError } from '../errors.ts'
import { portHolder } from '../ports.ts'
import type { ProcessSummary } from '../processes.ts'
import type { Service, ServicePort } from './service.ts'

/** A port of a service that another program listens on. */
export interface TakenPort extends ServicePort {
  readonly service: string
  readonly holder: ProcessSummary
}

/** @throws OffstreamError PORT_TAKEN, which names every taken port and its holder */
export const refuseTakenPorts = async (services: readonly Service[]): Promise<void> => {
  const taken = await Promise.all(
    services.flatMap(service =>
      portsOf(service).map(async (one): Promise<TakenPort[]> => {
        const holder = await portHolder(one.port, one.host)
        return holder === null ? [] : [{ ...one, service: service.name, holder }]
      }),
    ),
  )
  if (taken.flat().length > 0) throw portTaken(taken.flat())
}

const portsOf = ({ name, port, listensOn }: Service): readonly ServicePort[] =>
  listensOn ?? (port === null ? [] : [{ port, choose: `of ${name}` }])

const portTaken = (taken: readonly TakenPort[]): OffstreamError => {
  const sentences = taken.map(({ port, service, holder }) => {
    const by = holder.pid === 0 ? holder.name : `\`${holder.name}\` (pid ${holder.pid})`
    return `port ${port}, which ${service} needs, is already in use by ${by}`
  })
  const all = sentences.join('; ')
  const programs = taken.length === 1 ? 'that program' : 'these programs'
  return new RuntimeError('PORT_TAKEN', `${all.charAt(0).toUpperCase()}${all.slice(1)}`, {
    hint: `stop ${programs}, or choose another port: ${taken.map(({ choose }) => choose).join(', ')}`,
  })
}
