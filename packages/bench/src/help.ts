import { execa } from 'execa'
import { benchArguments, type Checkout } from './checkout.ts'
import { figureOf, machine, print, ratio, shown, table } from './figures.ts'

/**
 * Measures the help of each command beside an empty Node program, interleaved. With `--against`, it measures the commands
 * that both checkouts have. `node dist/help.js [runs] [--against <folder>]`
 */
const { runs, checkouts } = benchArguments(15)

const helpOf = async ({ command }: Checkout, path: readonly string[]): Promise<string> => {
  const { stdout } = await execa(process.execPath, [command, ...path, '--help'])
  if (!stdout.startsWith(`Usage: ${['offstream', ...path].join(' ')} `))
    throw new Error(`\`${command} ${path.join(' ')} --help\` printed no help`)
  return stdout
}

/** The command at `path` and all its subcommands, from their helps. */
const commandsBelow = async (checkout: Checkout, path: readonly string[] = []): Promise<string[]> => {
  const [, list = ''] = (await helpOf(checkout, path)).split('\nCommands:\n')
  const [lines = ''] = list.split('\n\n')
  const names = [...lines.matchAll(/^ {2}([a-z]+)/gm)].flatMap(([, name = '']) =>
    name === 'help' ? [] : name,
  )
  const below: string[] = []
  for (const name of names) below.push(...(await commandsBelow(checkout, [...path, name])))
  return [path.join(' '), ...below]
}

/** The times of one row of the table: one list for each checkout. */
interface Row {
  readonly name: string
  readonly run: (checkout: Checkout) => Promise<unknown>
  readonly times: readonly number[][]
}

const rowOf = (name: string, run: Row['run']): Row => ({ name, run, times: checkouts.map(() => []) })

const [[first = [], ...others]] = [await Promise.all(checkouts.map(checkout => commandsBelow(checkout)))]
const common = first.filter(command => others.every(other => other.includes(command)))
const rows: readonly Row[] = [
  rowOf('`node -e 0`', () => execa(process.execPath, ['-e', '0'])),
  ...common.map(command => {
    const path = command === '' ? [] : command.split(' ')
    return rowOf(`\`${['offstream', ...path, '--help'].join(' ')}\``, checkout => helpOf(checkout, path))
  }),
]

print(machine())
for (let run = 0; run < runs; run += 1) {
  for (const { run: call, times } of rows) {
    for (const [index, checkout] of checkouts.entries()) {
      const startedAt = performance.now()
      await call(checkout)
      times[index]?.push(performance.now() - startedAt)
    }
  }
}
const heads = checkouts.map(({ name }) => `${name}: milliseconds, median of ${runs} (min–max)`)
print(
  table(
    ['command', ...heads, ...(checkouts.length > 1 ? ['ratio'] : [])],
    rows.map(({ name, times }) => [
      name,
      ...times.map(all => shown(figureOf(all), 0)),
      ...(times.length > 1 ? [ratio(...times)] : []),
    ]),
  ),
)
if (checkouts.length > 1) {
  const all = checkouts.map((_, index) => rows.slice(1).flatMap(({ times }) => times[index] ?? []))
  print(`\nratio of the medians over all commands: ${ratio(...all)}`)
}
