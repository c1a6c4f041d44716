import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import { figureOf, machine, print, shown, table } from './figures.ts'

/**
 * How long a newcomer waits for the help of each command, beside what Node itself takes to do nothing: one run of all
 * of them after another. `node dist/help.js [runs]`
 */
const offstream = fileURLToPath(new URL('../../cli/bin/offstream.js', import.meta.url))

const helpOf = async (path: readonly string[]): Promise<string> => {
  const { stdout } = await execa(process.execPath, [offstream, ...path, '--help'])
  if (!stdout.startsWith(`Usage: ${['offstream', ...path].join(' ')} `))
    throw new Error(`\`offstream ${path.join(' ')} --help\` gave no help`)
  return stdout
}

/** The words of a command and of all below it, as their helps list them. */
const pathsBelow = async (path: readonly string[]): Promise<string[][]> => {
  const [, list = ''] = (await helpOf(path)).split('\nCommands:\n')
  const [lines = ''] = list.split('\n\n')
  const names = [...lines.matchAll(/^ {2}([a-z]+)/gm)].flatMap(([, name = '']) =>
    name === 'help' ? [] : name,
  )
  const below: string[][] = []
  for (const name of names) below.push(...(await pathsBelow([...path, name])))
  return [[...path], ...below]
}

const paths = await pathsBelow([])
const contenders: readonly (readonly [name: string, run: () => Promise<unknown>])[] = [
  ['`node -e 0`', () => execa(process.execPath, ['-e', '0'])],
  ...paths.map(path => [`\`${['offstream', ...path, '--help'].join(' ')}\``, () => helpOf(path)] as const),
]

const runs = Number(process.argv[2] ?? 15)
const times = contenders.map((): number[] => [])
print(machine())
for (let run = 0; run < runs; run += 1) {
  for (const [index, [, help]] of contenders.entries()) {
    const began = performance.now()
    await help()
    times[index]?.push(performance.now() - began)
  }
}
print(
  table(
    ['command', `milliseconds, median of ${runs} (least–most)`],
    contenders.map(([name], index) => [name, shown(figureOf(times[index] ?? []), 0)]),
  ),
)
