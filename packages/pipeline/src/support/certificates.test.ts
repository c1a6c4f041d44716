import { expect, test } from 'vitest'
import { certificateFindings } from './certificates.ts'

const now = new Date('2026-01-01T12:00:00Z')
const expiring = (...days: readonly number[]) =>
  days.map(day => ({ of: `\`broker-${day}\``, at: new Date(now.getTime() + day * 86_400_000 + 3_600_000) }))

test('the certificate that expires first decides', () => {
  expect(certificateFindings('Kafka certificates', expiring(400, 90, 200), now)).toEqual([
    {
      ...{ name: 'Kafka certificates', verdict: 'ok', hint: null },
      found: 'the first to expire is that of `broker-90`, on 2026-04-01, in 90 days',
    },
  ])
})

test('a certificate that expires soon is a warning, one that has expired a problem', () => {
  expect(certificateFindings('Kafka certificates', expiring(90, 29), now)).toEqual([
    {
      ...{ name: 'Kafka certificates', verdict: 'warning', hint: 'renew the certificate of `broker-29`' },
      found: 'the first to expire is that of `broker-29`, on 2026-01-30, in 29 days',
    },
  ])
  expect(certificateFindings('Kafka certificates', expiring(90, -2), now)).toEqual([
    {
      ...{ name: 'Kafka certificates', verdict: 'problem', hint: 'renew the certificate of `broker--2`' },
      found: 'that of `broker--2` expired on 2025-12-30',
    },
  ])
})

test('without certificates nothing is reported', () => {
  expect(certificateFindings('Kafka certificates', [], now)).toEqual([])
})
