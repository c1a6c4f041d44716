import type { StreamBatch } from '../wire.ts'

/** The stages of a batch, each with Spark's names of its phases. */
const phases = {
  plan: ['latestOffset', 'getBatch', 'queryPlanning'],
  write: ['addBatch'],
  log: ['walCommit', 'commitOffsets', 'commitBatch'],
} as const

export const stageNames = ['plan', 'write', 'log', 'rest'] as const
/** A stage of a batch; `rest` is the time that no phase accounts for. */
export type StageName = (typeof stageNames)[number]

/** How long a batch took. */
export const totalOf = ({ durationMs }: StreamBatch): number => durationMs['triggerExecution'] ?? 0

/** How long each stage of a batch took. Their sum is its duration. */
export const stagesOf = (batch: StreamBatch): Readonly<Record<StageName, number>> => {
  const sum = (names: readonly string[]) =>
    names.reduce((total, name) => total + (batch.durationMs[name] ?? 0), 0)
  const [plan, write, log] = [sum(phases.plan), sum(phases.write), sum(phases.log)]
  return { plan, write, log, rest: Math.max(0, totalOf(batch) - plan - write - log) }
}
