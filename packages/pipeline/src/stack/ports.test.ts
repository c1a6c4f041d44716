import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { configOf } from '../project/layers.ts'
import { freePorts } from './ports.ts'

test.each([
  ['spark.webPort', 'spark.master=spark://127.0.0.1:7077'],
  ['thrift.port', 'thrift.host=127.0.0.1'],
])(
  '`%s` is replaced if it is taken, but not if an existing service has it (`%s`)',
  async (path, external) => {
    const server = createServer()
    await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
    onTestFinished(() => void server.close())
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : expect.fail()
    const changed = async (...settings: readonly string[]) => {
      const all = await freePorts(configOf([`${path}=${port}`, ...settings]), new Set())
      return all.some(setting => setting.startsWith(`${path}=`))
    }
    expect([await changed(), await changed(external)]).toEqual([true, false])
  },
)
