import { z } from 'zod'

const count = z.int().min(0)
const counted = count.nullable()
const port = z.int().min(1).max(65_535)

const states = [
  'running',
  'starting',
  'stopping',
  'restarting',
  'stopped',
  'exited',
  'failed',
  'external',
  'unused',
] as const

const service = <Name extends string>(name: Name) =>
  z.strictObject({
    name: z.literal(name),
    state: z.enum(states),
    health: z.enum(['healthy', 'unhealthy', 'unknown']),
    pid: z.int().min(1).nullable(),
    port: port.nullable(),
    address: z.string().min(1),
    uptimeSeconds: count.nullable(),
    restarts: count,
    detail: z.string().min(1).nullable(),
  })

const first = [service('zookeeper'), service('kafka')] as const
const otherBrokers = [service('kafka-2'), service('kafka-3')] as const
const spark = [service('spark-master'), service('spark-worker')] as const
const otherWorkers = [service('spark-worker-2'), service('spark-worker-3')] as const
const others = [service('thrift'), service('products-stream'), service('dashboard')] as const

/** The exact structure that `offstream status --json` guarantees to other programs. */
export const StatusContract = z.strictObject({
  version: z.literal(1),
  state: z.enum(['healthy', 'degraded', 'stopped']),
  services: z.union([
    z.tuple([...first, ...spark, ...others]),
    z.tuple([...first, ...otherBrokers, ...spark, ...others]),
    z.tuple([...first, ...spark, otherWorkers[0], ...others]),
    z.tuple([...first, ...spark, ...otherWorkers, ...others]),
    z.tuple([...first, ...otherBrokers, ...spark, ...otherWorkers, ...others]),
  ]),
  jobs: z.array(
    service('').extend({
      name: z.string().min(1),
      state: z.enum([...states, 'completed']),
      program: z.string().min(1),
      cores: count,
      memory: z.string().min(1),
    }),
  ),
  executors: z.array(
    z.strictObject({
      id: z.string().min(1),
      host: z.string().min(1),
      cores: z.int().min(1),
      worker: z.url().nullable(),
    }),
  ),
  flow: z.strictObject({
    fetched: counted,
    acknowledged: counted,
    consumed: counted,
    rows: counted,
    rejected: counted,
    visible: counted,
    lag: counted,
    freshnessSeconds: z.number().min(0).nullable(),
  }),
  thrift: z.strictObject({ host: z.string().min(1), port, responseMs: z.number().min(0).nullable() }),
})

export type StatusContract = z.infer<typeof StatusContract>
