import { expect, test } from 'vitest'
import { nested } from './streamStack.ts'

test('settings by their path become a file that offstream reads', () => {
  const settings = {
    'kafka.port': 9_093,
    'spark.worker.webPort': 8_083,
    'spark.port': 7_078,
    host: '127.0.0.1',
  }
  expect(JSON.parse(nested(settings))).toEqual({
    kafka: { port: 9_093 },
    spark: { worker: { webPort: 8_083 }, port: 7_078 },
    host: '127.0.0.1',
  })
})
