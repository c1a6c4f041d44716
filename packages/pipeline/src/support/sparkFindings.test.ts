import { expect, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { addressFinding, clockFinding, resourceFinding } from './sparkFindings.ts'

const now = new Date('2026-01-01T12:00:00Z')

test('executors on other machines need addresses that they can connect to', () => {
  const verdict = (hosts: readonly string[], ...settings: readonly string[]) => {
    const { verdict, hint } = addressFinding({ hosts }, configOf(settings))
    return [verdict, hint]
  }
  const rest = 'to an address that they can connect to'
  expect([
    verdict(['127.0.0.1']),
    verdict(['one.example.org']),
    verdict(['one.example.org'], 'spark.driverHost=10.0.0.2'),
    verdict(['one.example.org'], 'spark.driverHost=10.0.0.2', 'kafka.brokers=one:9092'),
    verdict(['one.example.org'], 'host=10.0.0.2'),
  ]).toEqual([
    ['ok', null],
    ['problem', `set \`spark.driverHost\` and \`kafka.brokers\`, or \`host\` ${rest}`],
    ['problem', `set \`kafka.brokers\`, or \`host\` ${rest}`],
    ['ok', null],
    ['ok', null],
  ])
})

test('a cluster without free cores or memory is a warning', () => {
  const verdict = (freeCores: number, freeMemory: number) =>
    resourceFinding({ what: 'Spark 4.1.1', freeCores, freeMemory }, configOf(['stream.executorCores=2']))
      .verdict
  expect([verdict(2, 1_024), verdict(1, 1_024), verdict(2, 1_023)]).toEqual(['ok', 'warning', 'warning'])
})

test('clocks that differ by more than a minute are a warning', () => {
  expect([
    clockFinding(new Date('2026-01-01T12:00:59Z'), now).verdict,
    clockFinding(new Date('2026-01-01T11:58:59Z'), now),
  ]).toMatchObject(['ok', { verdict: 'warning', found: expect.stringContaining('61 s') }])
})
