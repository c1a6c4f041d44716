import { type ClusterAddress, openPublisher } from '@offstream/pipeline'

/** Publishes products, one after the other, until it is stopped. @returns the codes that Kafka has acknowledged */
export const startLoad = async (cluster: ClusterAddress) => {
  const publisher = await openPublisher(cluster)
  const acknowledged: string[] = []
  let isStopped = false
  const publishing = (async () => {
    while (!isStopped) {
      const code = String(20_000_000 + acknowledged.length)
      const moment = '2026-01-01T00:00:00.000Z'
      const value = JSON.stringify({ code, brands: 'A', as_of: moment, observed_at: moment, source: 'stdin' })
      await publisher.send({ key: code, value, headers: {} })
      acknowledged.push(code)
    }
  })()
  return {
    stop: async (): Promise<readonly string[]> => {
      isStopped = true
      await publishing
      await publisher.close()
      return acknowledged
    },
  }
}
