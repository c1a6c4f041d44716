import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { figureOf, machine, print, shown, table } from './figures.ts'

/**
 * How long a newcomer waits for help, beside what Node itself takes to do nothing. `node dist/help.js [runs]`
 */
const contenders: readonly (readonly [name: string, args: readonly string[]])[] = [
  ['`node -e 0`', ['-e', '0']],
  ['`offstream --help`', [fileURLToPath(new URL('../../cli/bin/offstream.js', import.meta.url)), '--help']],
  [
    '`offstream up --help`',
    [fileURLToPath(new URL('../../cli/bin/offstream.js', import.meta.url)), 'up', '--help'],
  ],
]

const runs = Number(process.argv[2] ?? 15)
const times = contenders.map((): number[] => [])
print(machine())
for (let run = 0; run < runs; run += 1) {
  for (const [index, [name, args]] of contenders.entries()) {
    const began = performance.now()
    const { stdout } = await execa(process.execPath, args)
    times[index]?.push(performance.now() - began)
    if (args.includes('--help') && !stdout.includes('Usage: offstream'))
      throw new Error(`${name} gave no help`)
  }
}
print(
  table(
    ['command', `milliseconds, median of ${runs} (least–most)`],
    contenders.map(([name], index) => [name, shown(figureOf(times[index] ?? []), 0)]),
  ),
)
