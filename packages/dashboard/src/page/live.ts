import { signal } from '@preact/signals'
import type { Batches, History, Live, Point, Session, StreamBatch } from '../wire.ts'
import { getJson } from './request.ts'

/** The newest state; null before the first. */
export const live = signal<Live | null>(null)
/** Whether the server is sending. */
export const isConnected = signal(false)
export const session = signal<Session | null>(null)
/** The last hour, the oldest first. */
export const points = signal<readonly Point[]>([])
/** The last 100 batches, the oldest first; null before they are loaded. */
export const batches = signal<readonly StreamBatch[] | null>(null)
/** Batches of the last hour; of those in quick succession only some. */
export const hourOfBatches = signal<readonly StreamBatch[]>([])

const historyMs = 3_600_000
const pointIntervalMs = 2_000

/** Follows the state while the page is visible: a browser allows only six open connections to a host. */
export const followLive = (): void => {
  let source: EventSource | null = null
  const connect = () => {
    source?.close()
    source = null
    if (document.visibilityState === 'hidden') return
    source = new EventSource('/api/live')
    source.onopen = () => {
      isConnected.value = true
      void loadHistory()
    }
    source.onerror = () => {
      isConnected.value = false
      // After a response that is not a stream, the browser does not try again.
      if (source?.readyState === EventSource.CLOSED) setTimeout(connect, pointIntervalMs)
    }
    source.onmessage = ({ data }) => take(JSON.parse(data) as Live)
  }
  document.addEventListener('visibilitychange', connect)
  connect()
}

const loadHistory = async (): Promise<void> => {
  const [history, known] = await Promise.all([
    getJson<History>('/api/history'),
    getJson<Session>('/api/session'),
  ]).catch(() => [null, null] as const)
  if (history === null) return
  points.value = history.points
  session.value = known
  hourOfBatches.value = history.batches
  void loadBatches()
}

const take = (next: Live): void => {
  const previous = live.value
  live.value = next
  const last = points.value.at(-1)
  if (last === undefined || next.at - last.at >= pointIntervalMs)
    points.value = [...points.value.filter(({ at }) => at > next.at - historyMs), next.point]
  if (previous?.stream?.batchId !== next.stream?.batchId) void loadBatches()
}

const loadBatches = async (): Promise<void> => {
  const loaded = await getJson<Batches>('/api/batches').catch(() => null)
  if (loaded === null) return
  batches.value = loaded.batches
  const since = new Date(Date.now() - historyMs).toISOString()
  const kept = hourOfBatches.value.filter(({ at }) => at > since)
  for (const batch of loaded.batches)
    if (Date.parse(batch.at) - Date.parse(kept.at(-1)?.at ?? since) >= pointIntervalMs) kept.push(batch)
  hourOfBatches.value = kept
}
