import { expect, test } from 'vitest'
import { adoptionOf } from './adoption.ts'
import type { ServicePhase, ServiceRecord } from './service.ts'

const bootedAt = Date.parse('2026-01-01T00:00:00Z')

const candidate = (phase: ServicePhase, running: boolean, record: Partial<ServiceRecord> = {}) => ({
  record: {
    ...{ name: 'bee', phase, pid: 7, startId: 'a', port: null, logFile: '/bee.log' },
    ...{ startedAt: '2026-01-02T00:00:00Z', restarts: 0, detail: null },
    ...record,
  },
  running,
  known: true,
  bootedAt,
})

test.each(['starting', 'running', 'restarting', 'failed'] as const)(
  'a running service that was %s is watched',
  phase => {
    expect(adoptionOf(candidate(phase, true))).toBe('watch')
  },
)

test('a running service whose stop was in progress is stopped', () => {
  expect(adoptionOf(candidate('stopping', true))).toBe('finish stop')
})

test.each(['starting', 'running', 'restarting'] as const)(
  'a service that was %s and crashed while no supervisor watched is restarted',
  phase => expect(adoptionOf(candidate(phase, false))).toBe('restart'),
)

test('a service whose work is done is remembered, also after a reboot', () => {
  expect(adoptionOf(candidate('completed', false))).toBe('remember')
})

test.each([
  ['that had failed', candidate('failed', false)],
  ['that was being stopped', candidate('stopping', false)],
  ['of before the last reboot', candidate('running', false, { startedAt: '2025-12-31T00:00:00Z' })],
  ['that was never started', candidate('starting', false, { startedAt: null })],
  ['that the supervisor does not know', { ...candidate('running', true), known: false }],
])('what remains of a service %s is cleaned up', (_, one) => expect(adoptionOf(one)).toBe('clean up'))
