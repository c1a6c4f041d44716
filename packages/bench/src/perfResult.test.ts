import { expect, test } from 'vitest'
import { perfResult } from './perfResult.ts'

const report = `120000 records sent, 24000.0 records/sec (22.4 MB/sec), 900.1 ms avg latency, 1500.0 ms max latency.
300000 records sent, 25000.000000 records/sec (23.36 MB/sec), 945.72 ms avg latency, 1650.00 ms max latency, 990 ms 50th, 1550 ms 95th, 1620 ms 99th, 1648 ms 99.9th.
`

test('the last line of Kafka’s tool has the number of messages and the duration', () => {
  expect(perfResult(report)).toEqual({ delivered: 300_000, seconds: 12 })
})

test('an output without that line is an error', () => {
  expect(() => perfResult('org.apache.kafka.common.errors.TimeoutException')).toThrow('unexpected output')
})
