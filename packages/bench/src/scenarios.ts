import { growth } from './growth.ts'
import { latency } from './latency.ts'
import { mixed } from './mixed.ts'
import { produce } from './produce.ts'
import { queries } from './queries.ts'
import { scaling } from './scaling.ts'
import type { Scenario } from './scenario.ts'
import { sustained } from './sustained.ts'
import { throughput } from './throughput.ts'
import { viewersOfDashboard } from './viewers.ts'

/** Each scenario by its name on the command line, in the order of the document. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  throughput,
  scaling,
  sustained,
  growth,
  latency,
  mixed,
  queries,
  produce,
  viewers: viewersOfDashboard,
}
