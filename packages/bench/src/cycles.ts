import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configOf, directoriesOf, freePorts, numberAt, portPaths } from '@offstream/pipeline'
import { listenerOn, until } from '@offstream/runtime'
import { execa } from 'execa'
import { benchArguments, type Checkout } from './checkout.ts'
import { figureOf, machine, print, ratio, shown, table } from './figures.ts'
import { usageOf } from './usage.ts'

/**
 * Runs `up` and `down` repeatedly in one folder, and throws if a process, a listener, a lock or a temporary file is left.
 * With `--against`, each cycle runs both checkouts. `node dist/cycles.js [cycles] [--against <folder>]`
 */
const { runs: cycles, checkouts } = benchArguments(20)

const scratch = await mkdtemp(join(tmpdir(), 'offstream-cycles-'))
const ports = await freePorts(configOf([]), new Set())
const config = configOf(ports)
const settings = ports.flatMap(setting => ['--set', setting])
/** Java ignores TMPDIR for some files, so the system's temporary folder is checked too. */
const filesBefore = new Set(await readdir(tmpdir()))

interface Cycle {
  readonly upSeconds: number
  readonly downSeconds: number
  readonly megabytes: number
}

interface Contender {
  readonly name: string
  readonly offstream: (command: string) => Promise<unknown>
  readonly project: string
  readonly temporary: string
  readonly cycles: Cycle[]
}

const contenderOf = async ({ name, command }: Checkout, index: number): Promise<Contender> => {
  const [project, temporary] = [join(scratch, `project-${index}`), join(scratch, `tmp-${index}`)]
  for (const folder of [project, temporary]) await mkdir(folder)
  await writeFile(join(project, 'offstream.yaml'), '# only defaults\n')
  const offstream = (subcommand: string) =>
    execa(process.execPath, [command, subcommand, ...settings], {
      cwd: project,
      env: { TMPDIR: temporary },
    })
  return { name, offstream, project, temporary, cycles: [] }
}

const remainsOf = async ({ project, temporary }: Contender): Promise<string[]> => {
  const directories = directoriesOf(join(project, '.offstream'))
  const { stdout } = await execa('ps', ['-axwwo', 'pid=,args='])
  const processes = stdout.split('\n').filter(line => line.includes(project))
  const holders = await Promise.all(portPaths.map(path => listenerOn(numberAt(config, path))))
  const listeners = holders.flatMap(holder => (holder === null ? [] : [`${holder.name} (pid ${holder.pid})`]))
  const state = (await readdir(directories.run)).filter(file => /lock|sock|tmp|settings|stack/.test(file))
  const own = existsSync(directories.temporary) ? [directories.temporary] : []
  // Java removes its own `hsperfdata` folder.
  const others = (await readdir(tmpdir())).filter(
    name => !filesBefore.has(name) && !name.startsWith('hsperfdata'),
  )
  return [...processes, ...listeners, ...state, ...own, ...others, ...(await readdir(temporary))]
}

const runCycle = async (contender: Contender): Promise<Cycle> => {
  const { offstream, project } = contender
  const upAt = performance.now()
  await offstream('up')
  const readyAt = performance.now()
  const { megabytes } = await usageOf(project)
  const downAt = performance.now()
  await offstream('down')
  const stoppedAt = performance.now()
  // The daemon exits last, after its response to `down`.
  await until(
    async () => {
      const left = await remainsOf(contender)
      if (left.length > 0) throw new Error(left.join(', '))
    },
    { what: `${contender.name} to leave nothing`, timeoutMs: 5_000 },
  )
  return { upSeconds: (readyAt - upAt) / 1_000, downSeconds: (stoppedAt - downAt) / 1_000, megabytes }
}

print(machine())
const contenders = await Promise.all(checkouts.map(contenderOf))
try {
  for (let cycle = 0; cycle < cycles; cycle += 1)
    for (const contender of contenders) contender.cycles.push(await runCycle(contender))
} finally {
  for (const { offstream } of contenders) await offstream('down')
  await rm(scratch, { recursive: true, force: true })
}
const valuesOf = (contender: Contender, name: keyof Cycle) => contender.cycles.map(cycle => cycle[name])
print(
  table(
    ['', `up, seconds, median of ${cycles} (min–max)`, 'down, seconds', 'resident MB when ready'],
    contenders.map(contender => [
      contender.name,
      shown(figureOf(valuesOf(contender, 'upSeconds'))),
      shown(figureOf(valuesOf(contender, 'downSeconds'))),
      shown(figureOf(valuesOf(contender, 'megabytes')), 0),
    ]),
  ),
)
if (contenders.length > 1) {
  const ratios = (['upSeconds', 'downSeconds'] as const).map(name =>
    ratio(...contenders.map(contender => valuesOf(contender, name))),
  )
  print(`\nratio of the medians: up ${ratios[0]}, down ${ratios[1]}`)
}
print('\nnothing was left after any cycle')
