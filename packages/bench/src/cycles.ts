import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { configOf, directoriesOf, freePorts, numberAt, portPaths } from '@offstream/pipeline'
import { listenerOn, ServiceRecords, until } from '@offstream/runtime'
import { execa } from 'execa'
import { machine, print, table } from './figures.ts'

/**
 * `up` and `down`, again and again in one folder: what each took, and whether anything was left. It throws where a
 * process, a listener, a lock or a temporary file was. `node dist/cycles.js [cycles]`
 */
const cycles = Number(process.argv[2] ?? 20)
const command = join(import.meta.dirname, '../../cli/bin/offstream.js')

const scratch = await mkdtemp(join(tmpdir(), 'offstream-cycles-'))
const [project, temporary] = [scratch, await mkdtemp(join(scratch, 'tmp-'))]
const state = join(project, '.offstream')
/** What others have in the machine's temporary folder, where Java does not ask for TMPDIR. */
const before = new Set(await readdir(tmpdir()))
const ports = await freePorts(configOf([]), new Set())
const config = configOf(ports)
await writeFile(join(project, 'offstream.yaml'), '# nothing but defaults\n')

const offstream = (name: string) =>
  execa(process.execPath, [command, name, ...ports.flatMap(setting => ['--set', setting])], {
    cwd: project,
    env: { TMPDIR: temporary },
  })

/** Resident memory of the services and of what they started, in MB. */
const memory = async (): Promise<number> => {
  const records = await new ServiceRecords(directoriesOf(state).records).all()
  const leaders = new Set(records.map(({ pid }) => pid))
  const { stdout } = await execa('ps', ['-axo', 'pid=,ppid=,rss='])
  const rows = stdout.split('\n').map(line => line.trim().split(/\s+/).map(Number))
  const ours = rows.filter(([pid, parent]) => leaders.has(pid ?? -1) || leaders.has(parent ?? -1))
  return ours.reduce((sum, [, , kilobytes]) => sum + (kilobytes ?? 0), 0) / 1_024
}

const remains = async (): Promise<string[]> => {
  const { stdout } = await execa('ps', ['-axo', 'pid=,args='])
  const processes = stdout.split('\n').filter(line => line.includes(project) && !line.includes('cycles.js'))
  const holders = await Promise.all(portPaths.map(path => listenerOn(numberAt(config, path))))
  const listeners = holders.flatMap(holder => (holder === null ? [] : [`${holder.name} (pid ${holder.pid})`]))
  const run = (await readdir(directoriesOf(state).run)).filter(file => /lock|sock|tmp|settings/.test(file))
  const own = existsSync(directoriesOf(state).temporary) ? [directoriesOf(state).temporary] : []
  // Java's name for its own measurements, which it takes away itself.
  const others = (await readdir(tmpdir())).filter(name => !before.has(name) && !name.startsWith('hsperfdata'))
  return [...processes, ...listeners, ...run, ...own, ...others, ...(await readdir(temporary))]
}

print(machine())
const rows: string[][] = []
try {
  for (let cycle = 1; cycle <= cycles; cycle += 1) {
    const began = performance.now()
    await offstream('up')
    const ready = performance.now()
    const megabytes = await memory()
    const asked = performance.now()
    await offstream('down')
    const ended = performance.now()
    // The daemon, which has just said that everything has ended, is the last to go.
    await until(
      async () => {
        const left = await remains()
        if (left.length > 0) throw new Error(left.join(', '))
      },
      { what: `nothing to be left of cycle ${cycle}`, timeoutMs: 5_000 },
    )
    rows.push([
      String(cycle),
      ((ready - began) / 1_000).toFixed(1),
      ((ended - asked) / 1_000).toFixed(1),
      megabytes.toFixed(0),
    ])
  }
} finally {
  await offstream('down')
  await rm(scratch, { recursive: true, force: true })
}
print(table(['cycle', 'up, seconds', 'down, seconds', 'resident MB when ready'], rows))
print('\nnothing was left after any of them')
