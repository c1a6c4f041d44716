import { settingPaths } from '@offstream/pipeline'
import type { Checkout } from './checkout.ts'
import type { Bench, Scenario } from './scenario.ts'
import { publish, verify, writeEvents } from './streamEvents.ts'
import { freshJob, runningJob } from './streamJob.ts'
import { type Settings, StreamStack } from './streamStack.ts'

/** How the work is divided: the partitions of the topic, and the executors of the job with the cores of each. */
interface Division {
  readonly partitions: number
  readonly executors: number
  readonly cores: number
}

/** A version without this setting starts one worker. */
const workersSetting = 'spark.workers'
const executorCounts = settingPaths.some(path => path === workersSetting) ? [1, 2, 3] : [1]

const divisions: readonly Division[] = [
  ...[1, 2, 3].map(partitions => ({ partitions, executors: 1, cores: 2 })),
  ...executorCounts.map(executors => ({ partitions: 3, executors, cores: 1 })),
]

const settingsOf = ({ partitions, executors, cores }: Division): Settings => ({
  'kafka.topic.partitions': partitions,
  ...(executors > 1 ? { [workersSetting]: executors } : {}),
  'spark.worker.cores': cores,
})

const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

/** `3 partitions, 2 executors with 1 core`. */
const nameOf = ({ partitions, executors, cores }: Division): string =>
  `${count(partitions, 'partition')}, ${count(executors, 'executor')} with ${count(cores, 'core')}`

const measureDivision = async (
  bench: Bench,
  checkout: Checkout,
  division: Division,
  files: readonly string[],
): Promise<void> => {
  const { sizes, results, checkouts } = bench
  const [first = '', ...others] = files
  const name = checkouts.length > 1 ? `${nameOf(division)}, ${checkout.name}` : nameOf(division)
  await using stack = await StreamStack.start(checkout, settingsOf(division))
  await publish(bench, stack.broker, first)
  await results.measure(`${name}, fresh job`, () => freshJob(stack, sizes.events))
  for (const [index, file] of others.entries()) {
    const addition = { file, start: (index + 1) * sizes.events, events: sizes.events }
    await results.measure(`${name}, running job`, () => runningJob(bench, stack, addition))
  }
  await verify(bench, stack.table, ...files)
}

/** A full topic, with different numbers of partitions and executors. */
export const scaling: Scenario = {
  title: 'Partitions and executors',
  description: `A full topic as above, for topics with one to three partitions and jobs with one to three executors, each on a separate worker. All
of them share the two cores of the machine with the broker and the driver, so a third core of the executors cannot make the job
faster. Each job is measured when it is fresh, and again when it runs. Each run has messages of other products. At the end the table
is compared with all messages.`,
  defaultMinutes: 0,
  defaultRepeats: 2,
  columns: [
    { key: 'seconds', title: 'seconds', digits: 1 },
    { key: 'perSecond', title: 'messages a second', digits: 0 },
    { key: 'readySeconds', title: 'submit → ready, seconds', digits: 1 },
    { key: 'cpuSeconds', title: 'processor seconds', digits: 1 },
    { key: 'megabytes', title: 'MB, peak', digits: 0 },
  ],
  chart: { kind: 'bars', column: 'perSecond', title: 'messages a second, median' },
  run: async bench => {
    const { events, products } = bench.sizes
    const files: string[] = []
    for (let round = 0; round <= bench.repeats; round += 1)
      files.push(await writeEvents(bench, { events, products, first: round * products, round }))
    for (const division of divisions)
      for (const checkout of bench.checkouts) await measureDivision(bench, checkout, division, files)
  },
}
