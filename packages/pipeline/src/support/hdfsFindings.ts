import { once } from 'node:events'
import { connect } from 'node:net'
import { addAbortSignal } from 'node:stream'
import { messageOf, withDeadline } from '@offstream/runtime'
import type { Config } from '../project/config.ts'
import type { Finding } from './finding.ts'

const timeoutMs = 8_000

/** Whether HDFS accepts connections; nothing if neither the tables nor the checkpoint are there. */
export const hdfsFindings = ({ lake, stream }: Pick<Config, 'lake' | 'stream'>): Promise<Finding[]> => {
  const found = [lake.warehouse, stream.checkpoint].flatMap(place =>
    place?.startsWith('hdfs:') ? [new URL(place).host] : [],
  )
  return Promise.all([...new Set(found)].map(findingOf))
}

const findingOf = async (address: string): Promise<Finding> => {
  const name = 'HDFS'
  try {
    await withDeadline(signal => connected(address, signal), { what: 'a connection', timeoutMs })
    const found = `\`${address}\` accepts connections; the permissions are not checked`
    return { name, verdict: 'ok', found, hint: null }
  } catch (error) {
    const found = `could not connect to \`${address}\`: ${messageOf(error)}`
    const hint = 'check `lake.warehouse`, `stream.checkpoint`, the network, and whether HDFS is running'
    return { name, verdict: 'problem', found, hint }
  }
}

const connected = async (address: string, signal: AbortSignal): Promise<void> => {
  const { hostname: host, port } = new URL(`hdfs://${address}`)
  const socket = addAbortSignal(signal, connect({ host, port: Number(port || 8020) }))
  try {
    await once(socket, 'connect')
  } finally {
    socket.destroy()
  }
}
