import {
  type ClusterAddress,
  type Config,
  clusterOf,
  type PeekedMessage,
  peekTopic,
} from '@offstream/pipeline'
import type { Hono } from 'hono'
import { z } from 'zod'
import type { Messages, Rows } from '../wire.ts'
import type { StackModel } from './model.ts'
import { Once } from './once.ts'
import type { Queries } from './queries.ts'

const shown = 50
/** A search reads the whole topic; after this time it shows what it has found. */
const searchTimeoutMs = 30_000

const Key = z.string().max(100)

/** The newest messages, those of a key, and the rejected ones. */
export const serveTopic = (
  app: Hono,
  { config, state }: { readonly config: Config; readonly state: string },
  model: StackModel,
  queries: Queries,
): void => {
  const once = new Once(() => model.live?.status.flow.acknowledged)
  app.get('/api/messages', async context => {
    const key = Key.parse(context.req.query('key') ?? '')
    const messages = await once.get(key, async () => {
      const cluster = await clusterOf(config, state)
      return key === '' ? newestMessages(cluster) : messagesOf(cluster, key)
    })
    return context.json({ messages } satisfies Messages)
  })
  app.get('/api/rejected', async context =>
    context.json({ rows: await queries.rows(rejectedQuery) } satisfies Rows),
  )
}

const rejectedQuery = `
SELECT kafka_partition, kafka_offset, unix_millis(kafka_timestamp) AS at,
  CAST(key AS string) AS key, left(CAST(value AS string), 2000) AS value, reason
FROM products_rejected
ORDER BY kafka_timestamp DESC, kafka_offset DESC
LIMIT ${shown}`

/** The newest first. */
const newestMessages = async (cluster: ClusterAddress): Promise<PeekedMessage[]> => {
  const messages: PeekedMessage[] = []
  const { signal } = new AbortController()
  await peekTopic(cluster, { from: 'latest', limit: shown, follow: false, signal }, message => {
    messages.push(message)
  })
  return messages.reverse()
}

const messagesOf = async (cluster: ClusterAddress, key: string): Promise<PeekedMessage[]> => {
  const messages: PeekedMessage[] = []
  const signal = AbortSignal.timeout(searchTimeoutMs)
  await peekTopic(cluster, { from: 'beginning', limit: null, follow: false, signal }, message => {
    if (message.key === key) messages.push(message)
    if (messages.length > shown) messages.shift()
  })
  return messages.reverse()
}
