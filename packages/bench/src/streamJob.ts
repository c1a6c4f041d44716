import { until } from '@offstream/runtime'
import { MemorySampler } from './processUsage.ts'
import type { Bench } from './scenario.ts'
import { publish } from './streamEvents.ts'
import type { Figures } from './streamResults.ts'
import type { StreamStack } from './streamStack.ts'
import { readBatches } from './tableHistory.ts'

/**
 * Starts the job on a topic with this number of messages. The processor time is that since the first batch, and of the
 * whole job.
 */
export const freshJob = async (stack: StreamStack, events: number): Promise<Figures> => {
  using memory = new MemorySampler(() => stack.job())
  const submittedAtMs = Date.now()
  const submitted = stack.submit()
  const firstBatch = until(
    async () => {
      if ((await readBatches(stack.directories.checkpoint)).length === 0) throw new Error('no batch yet')
      return stack.jobCpuSeconds()
    },
    { what: 'the first batch', timeoutMs: 300_000 },
  )
  const [readySeconds, cpuBefore] = await Promise.all([submitted, firstBatch])
  const { firstBatchAtMs, visibleAtMs } = await stack.written(0, events)
  const seconds = (visibleAtMs - firstBatchAtMs) / 1_000
  const cpuSeconds = await stack.jobCpuSeconds()
  return {
    seconds,
    perSecond: events / seconds,
    processSeconds: (visibleAtMs - submittedAtMs) / 1_000,
    readySeconds,
    cpuSeconds,
    cpuSecondsOfBatches: cpuSeconds - cpuBefore,
    megabytes: memory.peakMegabytes,
  }
}

/** The messages of a file, and the number of messages in the topic before them. */
export interface Addition {
  readonly file: string
  readonly start: number
  readonly events: number
}

/** A running job that finds these messages in the topic: it is suspended while they are published. */
export const runningJob = async (
  bench: Pick<Bench, 'peers'>,
  stack: StreamStack,
  { file, start, events }: Addition,
): Promise<Figures> => {
  using memory = new MemorySampler(() => stack.job())
  const cpuBefore = await stack.jobCpuSeconds()
  const resumedAtMs = await stack.whileSuspended(() => publish(bench, stack.broker, file))
  const { firstBatchAtMs, visibleAtMs } = await stack.written(start, start + events)
  const seconds = (visibleAtMs - resumedAtMs) / 1_000
  return {
    seconds,
    perSecond: events / seconds,
    batchSeconds: (visibleAtMs - firstBatchAtMs) / 1_000,
    cpuSeconds: (await stack.jobCpuSeconds()) - cpuBefore,
    megabytes: memory.peakMegabytes,
  }
}
