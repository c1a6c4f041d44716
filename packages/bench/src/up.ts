import { mkdtemp, rm, writeFile } from 'node:fs/promises'
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
import { type Service, Supervisor } from '@offstream/runtime'
import { execa } from 'execa'
import { benchArguments, type Checkout } from './checkout.ts'
import { figureOf, machine, print, ratio, shown, table } from './figures.ts'
import { type Usage, usageOf } from './usage.ts'

/**
 * Measures the time from cached runtimes until all services are ready, interleaved: offstream, and the same services started
 * by hand, each when the previous one is ready, with the default settings of Java and Spark. Every run has a new folder and
 * must answer a query. With `--against`, it measures `offstream up` of both checkouts instead.
 * `node dist/up.js [runs] [--against <folder>]`
 */
const { runs, checkouts } = benchArguments(5)
const project = process.cwd()
const runtimes = await ensureRuntimes({
  environment: process.env,
  ivySettings: assetPath(project, 'config', 'ivysettings.xml'),
})
const archives = await ensureArchives(cacheDirectory(process.env), runtimes)
const config = configOf(await freePorts(configOf([]), new Set()))

interface Run extends Usage {
  readonly seconds: number
}

/** The settings of offstream: parallel start, class archives, only the quick compiler. */
const tuned = (state: string): readonly Service[] =>
  chosen(services({ project, state, config, runtimes, archives }))

/** One service after the other, without the Java flags of offstream. */
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
  all.filter(({ name }) => stackServices(configOf([])).some(known => known === name))

const withoutFlags = (text: string): string =>
  text.replaceAll('-XX:TieredStopAtLevel=1', '').replaceAll('-XX:+UseSerialGC', '').trim()

const inFolder = async (measure: (folder: string) => Promise<Run>): Promise<Run> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-bench-'))
  try {
    return await measure(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Starts services with the supervisor of this checkout. */
const supervised = (build: (state: string) => readonly Service[]) => (): Promise<Run> =>
  inFolder(async folder => {
    const state = join(folder, '.offstream')
    const supervisor = new Supervisor({ directory: directoriesOf(state).records, onEvent: () => undefined })
    try {
      const startedAt = performance.now()
      await supervisor.start(build(state))
      const seconds = (performance.now() - startedAt) / 1_000
      const { rows } = await query(
        { host: config.host, port: config.thrift.port },
        'SELECT count(*) FROM Products',
      )
      if (rows[0]?.[0] !== 0) throw new Error('the Thrift server did not answer')
      return { seconds, ...(await usageOf(folder)) }
    } finally {
      await supervisor.stop()
    }
  })

/** Runs `up`, a query and `down` with the command of a checkout. */
const upOf =
  ({ command }: Checkout) =>
  (): Promise<Run> =>
    inFolder(async folder => {
      await writeFile(join(folder, 'offstream.yaml'), '# only defaults\n')
      const offstream = (...args: string[]) => execa(process.execPath, [command, ...args], { cwd: folder })
      try {
        const startedAt = performance.now()
        await offstream('up', '--ports', 'auto')
        const seconds = (performance.now() - startedAt) / 1_000
        const { stdout } = await offstream('query', 'SELECT count(*) AS n FROM Products', '--format', 'csv')
        if (stdout !== 'n\n0') throw new Error(`unexpected answer to the query: ${stdout}`)
        return { seconds, ...(await usageOf(folder)) }
      } finally {
        await offstream('down')
      }
    })

const contenders: readonly (readonly [name: string, measure: () => Promise<Run>])[] =
  checkouts.length > 1
    ? checkouts.map(checkout => [`\`offstream up\` of ${checkout.name}`, upOf(checkout)])
    : [
        ['offstream', supervised(tuned)],
        ['by hand, one after the other', supervised(byHand)],
      ]
const results = contenders.map((): Run[] => [])
print(machine())
for (let run = 0; run < runs; run += 1) {
  for (const [index, [, measure]] of contenders.entries()) results[index]?.push(await measure())
}
print(
  table(
    ['', `seconds, median of ${runs} (min–max)`, 'processor seconds', 'resident MB'],
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
print(`\nratio of the medians: ${ratio(...results.map(all => all.map(({ seconds }) => seconds)))}`)
