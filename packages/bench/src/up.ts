import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  assetPath,
  cacheDirectory,
  configOf,
  directoriesOf,
  ensureArchives,
  ensureRuntimes,
  freePorts,
  query,
  services,
  stackServices,
} from '@offstream/pipeline'
import { type Service, ServiceRecords, Supervisor } from '@offstream/runtime'
import { execa } from 'execa'
import { figureOf, machine, print, shown, table } from './figures.ts'

/**
 * From cached runtimes to all services ready: by offstream, and the same services started by hand, one after the
 * other, each when the one before is ready, with the settings that Java and Spark come with. Interleaved; each run in
 * a folder of its own, and each ends with an answer through the Thrift server. `node dist/up.js [runs]`
 */
const runs = Number(process.argv[2] ?? 5)
const project = process.cwd()
const runtimes = await ensureRuntimes({
  environment: process.env,
  ivySettings: assetPath(project, 'config', 'ivysettings.xml'),
})
const archives = await ensureArchives(cacheDirectory(process.env), runtimes)
const config = configOf(await freePorts(configOf([]), new Set()))

interface Run {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly megabytes: number
}

/** offstream's own choices: side by side, archives, the quick compiler. */
const tuned = (state: string): readonly Service[] =>
  chosen(services({ project, state, config, runtimes, archives: { folder: archives, making: false } }))

/** One after the other, and without what offstream adds to Java's flags. */
const byHand = (state: string): readonly Service[] =>
  chosen(services({ project, state, config, runtimes, archives: null })).map((service, index, all) => ({
    ...service,
    command: {
      ...service.command,
      args: service.command.args.map(withoutFlags).filter(argument => argument !== ''),
      env: Object.fromEntries(
        Object.entries(service.command.env).map(([name, value]) => [name, withoutFlags(value)]),
      ),
    },
    needs: index === 0 ? [] : [all[index - 1]?.name ?? ''],
  }))

const chosen = (all: readonly Service[]): readonly Service[] =>
  all.filter(({ name }) => stackServices.some(known => known === name))

const withoutFlags = (text: string): string =>
  text.replaceAll('-XX:TieredStopAtLevel=1', '').replaceAll('-XX:+UseSerialGC', '').trim()

const measure = async (build: (state: string) => readonly Service[]): Promise<Run> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-bench-'))
  const state = join(folder, '.offstream')
  const supervisor = new Supervisor({ directory: directoriesOf(state).records, onEvent: () => undefined })
  try {
    const began = performance.now()
    await supervisor.start(build(state))
    const seconds = (performance.now() - began) / 1_000
    const { rows } = await query(
      { host: config.host, port: config.thrift.port },
      'SELECT count(*) FROM Products',
    )
    if (rows[0]?.[0] !== 0) throw new Error('the Thrift server did not answer')
    return { seconds, ...(await usage(state)) }
  } finally {
    await supervisor.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Processor time and resident memory of the services of a stack and of the processes that they started. */
const usage = async (state: string): Promise<Omit<Run, 'seconds'>> => {
  const records = await new ServiceRecords(directoriesOf(state).records).all()
  const leaders = new Set(records.map(({ pid }) => pid))
  const { stdout } = await execa('ps', ['-axo', 'pid=,ppid=,cputimes=,rss='])
  const all = stdout.split('\n').map(line => line.trim().split(/\s+/).map(Number))
  const ours = all.filter(([pid, parent]) => leaders.has(pid ?? -1) || leaders.has(parent ?? -1))
  const sum = (column: number): number => ours.reduce((total, row) => total + (row[column] ?? 0), 0)
  return { cpuSeconds: sum(2), megabytes: sum(3) / 1_024 }
}

const contenders = [
  ['offstream up', tuned],
  ['by hand, one after the other', byHand],
] as const
const results = contenders.map((): Run[] => [])
print(machine())
for (let run = 0; run < runs; run += 1) {
  for (const [index, [, build]] of contenders.entries()) results[index]?.push(await measure(build))
}
print(
  table(
    ['', `seconds, median of ${runs} (least–most)`, 'processor seconds', 'resident MB'],
    contenders.map(([name], index) => {
      const all = results[index] ?? []
      return [
        name,
        shown(figureOf(all.map(({ seconds }) => seconds))),
        shown(figureOf(all.map(({ cpuSeconds }) => cpuSeconds))),
        shown(figureOf(all.map(({ megabytes }) => megabytes)), 0),
      ]
    }),
  ),
)
const [ours, theirs] = results.map(all => figureOf(all.map(({ seconds }) => seconds)).median)
print(`\nratio of the medians: ${((ours ?? 0) / (theirs ?? 1)).toFixed(2)}`)
