import { createServer } from 'node:http'
import { expect, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { serveOn } from '../services/testServer.ts'
import { hdfsFindings } from './hdfsFindings.ts'

test('without an address in HDFS nothing is checked', async () => {
  expect(await hdfsFindings(configOf([]))).toEqual([])
})

test('an HDFS that accepts connections is ok, and one that does not is a problem with the reason', async () => {
  const server = await serveOn('127.0.0.1', 0, createServer())
  const address = `127.0.0.1:${server.port}`
  const config = configOf([
    ...['lake.catalog.uri=postgresql://db/lake', 'lake.catalog.user=me'],
    `lake.warehouse=hdfs://${address}/lake`,
  ])
  expect(await hdfsFindings(config)).toEqual([
    {
      ...{ name: 'HDFS', verdict: 'ok', hint: null },
      found: `\`${address}\` accepts connections; the permissions are not checked`,
    },
  ])
  await server[Symbol.asyncDispose]()
  expect(await hdfsFindings(config)).toEqual([
    {
      ...{ name: 'HDFS', verdict: 'problem', hint: expect.stringContaining('`lake.warehouse`') },
      found: `could not connect to \`${address}\`: connect ECONNREFUSED ${address}`,
    },
  ])
})
