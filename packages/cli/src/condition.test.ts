import { type JobStatus, type ServiceStatus, type Status, serviceNames } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { parseCondition } from './condition.ts'

const service = (name: ServiceStatus['name'], change: Partial<ServiceStatus> = {}): ServiceStatus => ({
  ...{ name, state: 'running', health: 'healthy', pid: 1, port: null, address: '', uptimeSeconds: 1 },
  ...{ restarts: 0, detail: null, ...change },
})

const flow = {
  ...{ fetched: 200, acknowledged: 200, consumed: 120, rows: 119, rejected: 1, visible: null, lag: 80 },
  freshnessSeconds: 3,
}

const status = (change: Partial<Status> = {}, services: Partial<ServiceStatus>[] = []): Status => ({
  ...{ version: 1, state: 'healthy', jobs: [], executors: [], flow },
  thrift: { host: '', port: 1, responseMs: 1 },
  services: serviceNames.map(name =>
    service(
      name,
      services.find(other => other.name === name),
    ),
  ),
  ...change,
})

const broken = status({ state: 'degraded' }, [
  { name: 'kafka', state: 'restarting', health: 'unknown' },
  { name: 'thrift', health: 'unhealthy' },
  { name: 'products-stream', state: 'stopped', health: 'unknown' },
])

test.each([
  ['healthy', status(), true, 'healthy'],
  ['healthy', broken, false, 'degraded (kafka restarting, thrift unhealthy)'],
  ['degraded', broken, true, 'degraded (kafka restarting, thrift unhealthy)'],
  ['stopped', status({ state: 'stopped' }), true, 'stopped'],
  ['rows>=119', status(), true, 'rows 119'],
  ['rows >= 120', status(), false, 'rows 119'],
  ['rows>118', status(), true, 'rows 119'],
  ['rows>119', status(), false, 'rows 119'],
  ['lag<=80', status(), true, 'lag 80'],
  ['lag<80', status(), false, 'lag 80'],
  ['rejected=1', status(), true, 'rejected 1'],
  ['rejected=0', status(), false, 'rejected 1'],
  ['freshnessSeconds<60', status(), true, 'freshnessSeconds 3'],
  ['visible>=0', status(), false, 'visible unknown'],
  ['visible<=5', status(), false, 'visible unknown'],
  ['kafka=healthy', status(), true, 'kafka healthy'],
  ['kafka=healthy', broken, false, 'kafka restarting'],
  ['products-stream=stopped', broken, true, 'products-stream stopped'],
])('%s', (text, seen, holds, words) => {
  const condition = parseCondition(text)
  expect([condition.text, condition.holds(seen), condition.seen(seen)]).toEqual([
    text.replaceAll(' ', ''),
    holds,
    words,
  ])
})

test.each([
  // What a shell passes for an unquoted `rows>=200`.
  ['rows', "A number is missing. In a shell, put conditions with > and < in quotes: 'rows>=1'."],
  ['rows>=', expect.stringContaining('It must be healthy, degraded, stopped, a service')],
  ['rows>=many', '`many` must be a whole number.'],
  ['lag<=-1', '`-1` must be a whole number.'],
  ['rows!=1', expect.stringContaining('It must be ')],
  ['kafka', 'It must be kafka=healthy or kafka=stopped.'],
  ['kafka=well', 'It must be kafka=healthy or kafka=stopped.'],
  ['kafka>=1', 'It must be kafka=healthy or kafka=stopped.'],
  ['healthy=1', expect.stringContaining('It must be ')],
  ['', expect.stringContaining('It must be ')],
])('`%s` is not a condition', (text, message) => {
  expect(() => parseCondition(text)).toThrow(
    expect.objectContaining({ code: 'commander.invalidArgument', message }),
  )
})

const withJob = (change: Partial<JobStatus>): Status =>
  status({
    jobs: [
      {
        ...{
          name: 'sessions',
          state: 'running',
          health: 'healthy',
          pid: 7,
          port: 4041,
          address: '',
          restarts: 0,
        },
        ...{ uptimeSeconds: 1, detail: null, program: '/sessions.py', cores: 1, memory: '512m' },
        ...change,
      },
    ],
  })

test.each([
  ['job:sessions=healthy', withJob({}), true],
  ['job:sessions=completed', withJob({}), false],
  ['job:sessions=completed', withJob({ state: 'completed', health: 'unknown' }), true],
  ['job:sessions=failed', withJob({ state: 'failed', health: 'unknown' }), true],
  ['job:clicks=stopped', withJob({}), false],
])('%s is about a job of the user', (text, of, expected) => {
  expect(parseCondition(text).holds(of)).toBe(expected)
})

test('a degraded stack shows the jobs that are not healthy, without those that are idle', () => {
  const seen = (change: Partial<JobStatus>) =>
    parseCondition('healthy').seen({ ...withJob(change), state: 'degraded' })
  expect([seen({ health: 'unhealthy' }), seen({ state: 'completed', health: 'unknown' })]).toEqual([
    'degraded (sessions unhealthy)',
    'degraded ()',
  ])
})

test('a state that a job cannot have is an error', () => {
  expect(() => parseCondition('job:sessions=busy')).toThrow('job:sessions=completed')
})
