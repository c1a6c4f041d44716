import { expect, test } from 'vitest'
import { serviceNames } from '../names.ts'
import { hopsOf } from './hops.ts'
import type { ServiceStatus } from './states.ts'
import type { Flow } from './status.ts'

const healthy: readonly ServiceStatus[] = serviceNames.map(name => ({
  ...{ name, state: 'running', health: 'healthy', pid: 1, port: null, address: '', uptimeSeconds: 1 },
  ...{ restarts: 0, detail: null },
}))
const flow: Flow = {
  ...{ fetched: 5, acknowledged: 5, consumed: 5, rows: 4, rejected: 1, visible: 3, lag: 0 },
  freshnessSeconds: 1,
}
const withService = (name: string, changes: Partial<ServiceStatus>): readonly ServiceStatus[] =>
  healthy.map(service => (service.name === name ? { ...service, ...changes } : service))

const shown = (services: readonly ServiceStatus[], changes: Partial<Flow> = {}) =>
  hopsOf({ services, flow: { ...flow, ...changes } }).flatMap(({ name, state, reason }) =>
    state === 'ok' ? [] : [[name, state, reason]],
  )

test('a healthy stack has five steps with their counts', () => {
  expect(hopsOf({ services: healthy, flow })).toEqual([
    { name: 'site', state: 'ok', count: 5, reason: null },
    { name: 'topic', state: 'ok', count: 5, reason: null },
    { name: 'stream', state: 'ok', count: 5, reason: null },
    { name: 'table', state: 'ok', count: 4, reason: null },
    { name: 'thrift', state: 'ok', count: 3, reason: null },
  ])
})

test('a step has the state of its worst service', () => {
  expect([
    ...shown(withService('zookeeper', { state: 'restarting', detail: 'was killed by SIGKILL' })),
    ...shown(withService('kafka', { state: 'starting', health: 'unknown', restarts: 1 })),
    ...shown(withService('spark-worker', { health: 'unhealthy', detail: 'it refuses' })),
    ...shown(withService('thrift', { state: 'starting', health: 'unknown' })),
    ...shown(withService('products-stream', { state: 'stopped', health: 'unknown' })),
  ]).toEqual([
    ['topic', 'bad', 'zookeeper is restarting: was killed by SIGKILL'],
    ['topic', 'bad', 'kafka crashed and is restarting'],
    ['stream', 'bad', 'spark-worker is unhealthy: it refuses'],
    ['thrift', 'waiting', 'thrift is starting'],
    ['stream', 'idle', 'products-stream is stopped'],
  ])
})

test('counts that cannot be correct make a step bad', () => {
  expect([
    ...shown(healthy, { acknowledged: 3 }),
    ...shown(healthy, { rows: 0, visible: 0 }),
    ...shown(healthy, { visible: 9 }),
  ]).toEqual([
    ['stream', 'bad', 'the job has read 5 messages, but the topic has only 3: the topic was created again'],
    ['table', 'bad', 'the job has written 5 messages, but the table is empty: it was dropped or emptied'],
    ['thrift', 'bad', '9 products are visible, but the table has only 4 rows'],
  ])
})
