import { expect, test } from 'vitest'
import { canFollow, changed } from './phases.ts'
import type { ServicePhase, ServiceRecord } from './service.ts'

const phases: readonly ServicePhase[] = [
  'starting',
  'running',
  'restarting',
  'stopping',
  'failed',
  'completed',
]

test('only some phases can follow each phase', () => {
  const following = phases.map(phase => [
    phase,
    phases.filter(next => next !== phase && canFollow(phase, next)).join(' '),
  ])
  expect(Object.fromEntries(following)).toEqual({
    starting: 'running restarting stopping failed completed',
    running: 'restarting stopping failed completed',
    restarting: 'starting stopping failed completed',
    stopping: '',
    failed: 'starting stopping',
    completed: 'starting stopping',
  })
})

test('a service that is being stopped does not become running again', () => {
  const record: ServiceRecord = {
    ...{ name: 'bee', phase: 'stopping', pid: 7, startId: 'a', port: null, logFile: '/bee.log' },
    ...{ startedAt: null, restarts: 0, detail: null },
  }
  expect(changed(record, { phase: 'running', detail: 'it answered' })).toEqual({
    ...record,
    detail: 'it answered',
  })
  expect(changed({ ...record, phase: 'starting' }, { phase: 'running' }).phase).toBe('running')
})
