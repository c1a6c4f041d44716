import type { CachedRuntime, VerifiedRuntime } from '@offstream/pipeline'
import type { OffstreamError } from '@offstream/runtime/errors'
import { RuntimeError } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { formatBytes, plural } from '../format.ts'
import type { Cell } from '../output.ts'

const define: DefineCommand = (command, context) => {
  command.addHelpText(
    'after',
    `
Spark, Kafka and the connectors (the libraries by which Spark reads Kafka and
writes the table) lie in one cache folder of yours, for all projects:
OFFSTREAM_CACHE, or your system's folder for caches. A Spark or Kafka of your
own is used instead where SPARK_HOME or KAFKA_HOME are set.

Examples:
  offstream runtime list
  offstream runtime install

Next: \`offstream up\` fetches what is missing by itself.`,
  )
  command
    .command('list')
    .description('show what is in the cache, how large it is, and whether this offstream uses it')
    .addHelpText(
      'after',
      `
Example:
  offstream runtime list`,
    )
    .action(() => list(context()))
  command
    .command('install')
    .description('fetch Spark, Kafka and the connectors now, so that `offstream up` needs no network')
    .addHelpText(
      'after',
      `
Fetches 0.6 GB once, for all projects, and compares every file with its digest
(a number computed from what is in it) that is locked in offstream. What is
there already is not fetched again.

Exit status: 0 all is there, 6 no Java, no Python or no room, 11 fetching
failed.

Example:
  offstream runtime install

Next: \`offstream up\`, which now needs no network.`,
    )
    .action(() => install(context()))
  command
    .command('verify')
    .description('read every file again and compare it with its digest')
    .option('--repair', 'remove what is damaged and fetch it again')
    .addHelpText(
      'after',
      `
Compares the libraries with the digests (numbers computed from what is in a
file) that are locked in offstream, and Spark with those noted when it was
installed.

Exit status: 0 all is as it was fetched, 11 something differs.

Examples:
  offstream runtime verify
  offstream runtime verify --repair`,
    )
    .action(({ repair = false }) => verify(context(), repair))
  command
    .command('prune')
    .description('remove what this version of offstream does not use, and what broken fetches left')
    .option('--dry-run', 'only show what would be removed')
    .addHelpText(
      'after',
      `
What runs now is never removed. An older offstream on this machine would fetch
again what it needs.

Exit status: 0 done, 10 a process uses what would be removed.

Examples:
  offstream runtime prune --dry-run
  offstream runtime prune`,
    )
    .action(({ dryRun = false }) => prune(context(), dryRun))
}

const list = async ({ output, pipeline }: Context): Promise<void> => {
  const { cache, runtimes, own } = await pipeline.listRuntimes(process.env)
  output.result({ kind: 'runtimes', cache, runtimes, own }, () =>
    output.table(
      ['what', 'size', '', 'folder'],
      [
        ...runtimes.map(({ what, bytes: size, use, name }) => [what, sized(size), uses[use], name]),
        ...own.map(({ variable, path }) => [variable, '', 'yours', path]),
      ],
    ),
  )
  output.note(`\n${formatBytes(sum(runtimes))} in \`${cache}\`${next(runtimes)}`)
}

const uses: Readonly<Record<CachedRuntime['use'], Cell>> = {
  used: { text: 'used', tone: 'good' },
  missing: { text: 'not there yet', tone: 'dim' },
  unused: { text: 'not used', tone: 'warning' },
  incomplete: { text: 'incomplete', tone: 'warning' },
}

const next = (runtimes: readonly CachedRuntime[]): string => {
  if (runtimes.some(({ use }) => use === 'unused' || use === 'incomplete'))
    return '. Next: `offstream runtime prune --dry-run`'
  return runtimes.some(({ use }) => use === 'missing') ? '. Next: `offstream runtime install`' : ''
}

const sized = (size: number): string => (size === 0 ? '' : formatBytes(size))
const sum = (runtimes: readonly CachedRuntime[]): number =>
  runtimes.reduce((total, { bytes: size }) => total + size, 0)

const install = async ({ output, fetchRuntimes }: Context): Promise<void> => {
  const { runtimes, archives } = await fetchRuntimes()
  const { sparkHome, kafkaLibs, connectors, python, java } = runtimes
  output.result({ kind: 'runtime', sparkHome, kafkaLibs, connectors, python, java, archives }, () =>
    [`Spark       ${sparkHome}`, `Kafka       ${kafkaLibs}`, `connectors  ${connectors}`].join('\n'),
  )
}

const verify = async ({ output, pipeline, fetchRuntimes }: Context, repair: boolean): Promise<void> => {
  output.live('reading and comparing')
  const verified = await pipeline.verifyRuntimes(process.env)
  const damaged = verified.filter(({ problems }) => problems.length > 0)
  output.result({ kind: 'verified', runtimes: verified }, () =>
    verified.length === 0 ? '' : output.table(['', 'what', 'files', ''], verified.flatMap(verifiedRows)),
  )
  if (verified.length === 0) output.note('Nothing is there yet. Next: `offstream runtime install`')
  if (damaged.length === 0) return
  if (!repair) throw damage(damaged)
  await pipeline.removeDamaged(process.env, damaged)
  await fetchRuntimes()
  output.note(`Fetched again: ${damaged.map(({ what }) => what).join(', ')}`)
}

const shownProblems = 5

const verifiedRows = ({ what, files, problems }: VerifiedRuntime): Cell[][] => {
  const mark: Cell = problems.length === 0 ? { text: '✔', tone: 'good' } : { text: '✖', tone: 'bad' }
  const more = problems.length - shownProblems
  const told = [...problems.slice(0, shownProblems), ...(more > 0 ? [`and ${more} more`] : [])]
  return [
    [mark, what, String(files), told[0] ?? 'as they must be'],
    ...told.slice(1).map(problem => ['', '', '', problem]),
  ]
}

const damage = (damaged: readonly VerifiedRuntime[]): OffstreamError =>
  new RuntimeError(
    'CHECKSUM_MISMATCH',
    `Not as it was fetched: ${damaged.map(({ what, problems }) => `${what} (${plural(problems.length, 'file')})`).join(', ')}`,
    {
      hint: 'fetch it again with `offstream runtime verify --repair`',
    },
  )

const prune = async ({ output, pipeline }: Context, dryRun: boolean): Promise<void> => {
  const { removed, kept } = await pipeline.pruneRuntimes(process.env, dryRun)
  output.result({ kind: 'pruned', dryRun, removed, kept, bytes: sum(removed) }, () =>
    removed.length + kept.length === 0
      ? ''
      : output.table(
          ['what', 'size', '', 'folder'],
          [
            ...removed.map(({ what, bytes: size, name }) => [
              what,
              sized(size),
              dryRun ? 'would be removed' : 'removed',
              name,
            ]),
            ...kept.map(({ name, why }) => ['', '', `stays: ${why}`, name]),
          ],
        ),
  )
  output.note(
    removed.length === 0
      ? 'There is nothing to remove.'
      : `${formatBytes(sum(removed))} ${dryRun ? 'would be freed. Next: `offstream runtime prune`' : 'freed'}`,
  )
}

export default define
