import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { until } from '@offstream/runtime'
import { execa } from 'execa'
import { latenciesOf, type SeenMarker, type SentMarker } from './latencies.ts'
import { lastJson } from './peers.ts'
import type { Bench } from './scenario.ts'

/** An acknowledged event, as load.py records it. */
interface LoadEvent {
  readonly event: number
  readonly kind: string
  readonly sent_at: number
}

export interface LoadChoice {
  /** Events a second. */
  readonly rate: number
  readonly minutes: number
  /** Products in the table before. */
  readonly products: number
  /** Also new products, deletes and invalid messages. */
  readonly mixed?: boolean
}

/** What a probe and a load measured. */
export interface LiveResult {
  /** Seconds from sending an event to its first appearance in a result, in the order of the events. */
  readonly latencies: readonly number[]
  readonly invisible: number
  readonly sent: number
  readonly seconds: number
  readonly queries: number
  readonly queryMs: readonly number[]
  /** Processor seconds of the probe itself. */
  readonly probeCpuSeconds: number
  /** The file with all acknowledged events. */
  readonly eventsFile: string
}

/** Marker events a second, from which latencies are read. */
const markersPerSecond = 10
const maxDelayMs = 120_000

/**
 * Publishes events at a fixed rate while a probe queries the table, until the probe has seen the last marker or two
 * minutes have passed.
 * @param table for probe.py
 */
export const runLiveLoad = async (
  { peers, scratch }: Pick<Bench, 'peers' | 'scratch'>,
  broker: string,
  table: string,
  { rate, minutes, products, mixed = false }: LoadChoice,
): Promise<LiveResult> => {
  const [eventsFile, seenFile] = ['events', 'seen'].map(name =>
    join(scratch, `${name}-${crypto.randomUUID()}`),
  )
  if (eventsFile === undefined || seenFile === undefined) throw new Error('two files')
  const [python, ...args] = peers.command('probe.py', table, seenFile)
  const probe = execa(python, args, { reject: false })
  try {
    const load = await peers.run<{ readonly sent: number; readonly seconds: number }>(
      ...(['load.py', broker, eventsFile] as const),
      ...['--rate', rate, '--seconds', minutes * 60, '--keys', products].map(String),
      ...['--marker-every', String(Math.max(1, Math.round(rate / markersPerSecond)))],
      ...(mixed ? ['--mixed'] : []),
    )
    const sent = markersIn(await linesOf<LoadEvent>(eventsFile))
    await waitForMarker(seenFile, sent.at(-1)?.event ?? 0)
    probe.kill()
    const { stdout, stderr } = await probe
    if (stdout === '') throw new Error(`the probe failed: ${stderr.slice(-2_000)}`)
    const { queries, cpu_seconds, query_ms } = lastJson<{
      readonly queries: number
      readonly cpu_seconds: number
      readonly query_ms: readonly number[]
    }>(stdout)
    const { seconds, invisible } = latenciesOf(sent, await seenIn(seenFile))
    return {
      latencies: seconds,
      invisible,
      sent: load.sent,
      seconds: load.seconds,
      queries,
      queryMs: query_ms,
      probeCpuSeconds: cpu_seconds,
      eventsFile,
    }
  } finally {
    probe.kill('SIGKILL')
  }
}

const markersIn = (events: readonly LoadEvent[]): readonly SentMarker[] =>
  events
    .filter(({ kind }) => kind === 'marker')
    .map(({ event, sent_at }) => ({ event, sentAt: sent_at }))
    .toSorted((one, other) => one.event - other.event)

const seenIn = async (file: string): Promise<readonly SeenMarker[]> =>
  (await linesOf<{ readonly rev: number; readonly seen_at: number }>(file)).map(({ rev, seen_at }) => ({
    event: rev,
    seenAt: seen_at,
  }))

/** Waits until the probe has seen a marker. After the deadline, the missing markers count as invisible. */
const waitForMarker = async (file: string, marker: number): Promise<void> => {
  const isSeen = async () => {
    if (((await seenIn(file)).at(-1)?.event ?? -1) < marker) throw new Error('not seen yet')
  }
  await until(isSeen, { what: 'the last marker', timeoutMs: maxDelayMs }).catch(() => undefined)
}

const linesOf = async <Line>(file: string): Promise<readonly Line[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(line => line.endsWith('}'))
    .map(line => JSON.parse(line))
