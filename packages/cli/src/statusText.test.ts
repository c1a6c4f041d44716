import { stripVTControlCharacters } from 'node:util'
import type { ServiceStatus, Status } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { statusText } from './statusText.ts'

const service = (name: ServiceStatus['name'], more: Partial<ServiceStatus>): ServiceStatus => ({
  ...{ name, state: 'running', health: 'healthy', pid: 4711, port: 9092, address: '127.0.0.1:9092' },
  ...{ uptimeSeconds: 3_725, restarts: 0, detail: null },
  ...more,
})

const stopped = { state: 'stopped', health: 'unknown', pid: null, uptimeSeconds: null } as const

test('a status lists the services, then the counts', () => {
  const status: Status = {
    version: 1,
    state: 'degraded',
    jobs: [],
    services: [
      service('zookeeper', {}),
      service('kafka', { health: 'unhealthy', detail: 'timed out after 10 s waiting for kafka to respond' }),
      service('spark-master', { state: 'restarting', health: 'unknown', pid: null, restarts: 2 }),
      service('spark-worker', { state: 'exited', health: 'unknown', pid: null, uptimeSeconds: null }),
      service('thrift', { health: 'unknown' }),
      service('products-stream', stopped),
    ],
    flow: {
      ...{ fetched: 12, acknowledged: 11, consumed: 10, rows: 9, rejected: 1, visible: 8 },
      ...{ lag: 1, freshnessSeconds: 65 },
    },
    executors: [
      { id: '0', host: '127.0.0.1', cores: 2, worker: 'http://127.0.0.1:8081' },
      { id: '1', host: 'node-5', cores: 4, worker: null },
    ],
    thrift: { host: '127.0.0.1', port: 10_000, responseMs: 42 },
  }
  expect(stripVTControlCharacters(statusText(status))).toMatchInlineSnapshot(`
    "● degraded

    service          state       address         pid   up         restarts
    zookeeper        healthy     127.0.0.1:9092  4711  1 h 2 min
    kafka            unhealthy   127.0.0.1:9092  4711  1 h 2 min
    spark-master     restarting  127.0.0.1:9092        1 h 2 min  2
    spark-worker     exited      127.0.0.1:9092
    thrift           running     127.0.0.1:9092  4711  1 h 2 min
    products-stream  stopped     127.0.0.1:9092

    kafka: timed out after 10 s waiting for kafka to respond

    fetched 12 → acknowledged 11 → consumed 10 → rows 9 (+ 1 rejected) → visible 8
    lag 1, newest record 1 min 5 s ago
    2 executors with 6 cores: http://127.0.0.1:8081, node-5"
  `)
})

test('a stack is starting if some services are not ready yet, and degraded if one is unhealthy', () => {
  const headline = (...services: ServiceStatus[]): string | undefined =>
    stripVTControlCharacters(
      statusText({
        ...{ version: 1, state: 'degraded', services, jobs: [], executors: [] },
        flow: {
          ...{ fetched: 0, acknowledged: null, consumed: null, rows: null, rejected: null, visible: null },
          ...{ lag: null, freshnessSeconds: null },
        },
        thrift: { host: '127.0.0.1', port: 10_000, responseMs: null },
      }),
    ).split('\n')[0]
  const starting = service('kafka', { state: 'starting', health: 'unknown' })
  expect(headline(service('zookeeper', {}), starting, service('products-stream', stopped))).toBe('● starting')
  expect(headline(service('zookeeper', { health: 'unhealthy' }), starting)).toBe('● degraded')
})

test('the first line names the services that failed to start', () => {
  const status: Status = {
    ...{ version: 1, state: 'stopped', jobs: [], executors: [] },
    services: [service('zookeeper', { ...stopped, state: 'failed' })],
    flow: {
      ...{ fetched: 0, acknowledged: null, consumed: null, rows: null, rejected: null, visible: null },
      ...{ lag: null, freshnessSeconds: null },
    },
    thrift: { host: '127.0.0.1', port: 10_000, responseMs: null },
  }
  expect(stripVTControlCharacters(statusText(status))).toMatch(/^○ stopped: zookeeper failed\n/)
})

test('unknown counts are question marks, and an unknown lag is omitted', () => {
  const status: Status = {
    version: 1,
    state: 'stopped',
    jobs: [],
    services: [service('zookeeper', stopped)],
    executors: [],
    flow: {
      ...{ fetched: 0, acknowledged: null, consumed: null, rows: null, rejected: null, visible: null },
      ...{ lag: null, freshnessSeconds: null },
    },
    thrift: { host: '127.0.0.1', port: 10_000, responseMs: null },
  }
  expect(stripVTControlCharacters(statusText(status))).toMatchInlineSnapshot(`
    "○ stopped

    service    state    address         pid  up  restarts
    zookeeper  stopped  127.0.0.1:9092

    fetched 0 → acknowledged ? → consumed ? → rows ? → visible ?"
  `)
})

test('jobs of the user follow the services, and a failed one is named in the first line', () => {
  const status: Status = {
    ...{ version: 1, state: 'stopped', services: [service('zookeeper', stopped)], executors: [] },
    jobs: [
      {
        ...{ name: 'sessions', state: 'completed', health: 'unknown', pid: null, port: 4041, restarts: 0 },
        ...{ address: 'http://127.0.0.1:4041', uptimeSeconds: null, detail: null },
        ...{ program: '/sessions.py', cores: 1, memory: '512m' },
      },
      {
        ...{ name: 'clicks', state: 'failed', health: 'unknown', pid: null, port: 4042, restarts: 5 },
        ...{ address: 'http://127.0.0.1:4042', uptimeSeconds: null, detail: 'exited with status 1' },
        ...{ program: '/clicks.py', cores: 1, memory: '512m' },
      },
    ],
    flow: {
      ...{ fetched: 0, acknowledged: null, consumed: null, rows: null, rejected: null, visible: null },
      ...{ lag: null, freshnessSeconds: null },
    },
    thrift: { host: '127.0.0.1', port: 10_000, responseMs: null },
  }
  const lines = stripVTControlCharacters(statusText(status)).split('\n')
  expect(lines[0]).toBe('○ stopped: clicks failed')
  expect(lines.map(line => line.split(/ {2,}/).slice(0, 2).join(' '))).toEqual(
    expect.arrayContaining(['sessions completed', 'clicks failed', 'clicks: exited with status 1']),
  )
})
