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
Spark, Kafka and the connectors (the libraries that Spark needs to read Kafka
and write the table) are stored in one cache folder for all projects:
OFFSTREAM_CACHE, by default the cache folder of your system. If SPARK_HOME or
KAFKA_HOME is set, offstream uses that installation instead.

Examples:
  offstream runtime list
  offstream runtime install

Next: \`offstream up\` also downloads what is missing.`,
  )
  command
    .command('list')
    .description('list the contents of the cache, their sizes, and whether this version uses them')
    .addHelpText(
      'after',
      `
Example:
  offstream runtime list

Next: \`offstream runtime prune --dry-run\` shows what is unused.`,
    )
    .action(() => list(context()))
  command
    .command('install')
    .description('download Spark, Kafka and the connectors now; `offstream up` then needs no network')
    .addHelpText(
      'after',
      `
Downloads 0.6 GB once for all projects, and compares the SHA-256 of every file
with the one in the lock files of offstream. Files that are already in the cache
are not downloaded again.

Exit status: 0 installed, 6 Java, Python or disk space is missing, 11 a download
failed.

Example:
  offstream runtime install

Next: \`offstream up\`.`,
    )
    .action(() => install(context()))
  command
    .command('verify')
    .description('verify the checksum of every file in the cache')
    .option('--repair', 'remove damaged runtimes and download them again')
    .addHelpText(
      'after',
      `
Compares the SHA-256 of each file with the one in the lock files of offstream,
and for Spark with the one recorded during its installation.

Exit status: 0 no difference, 11 a file differs.

Examples:
  offstream runtime verify
  offstream runtime verify --repair

Next: \`--repair\` downloads damaged files again.`,
    )
    .action(({ repair = false }) => verify(context(), repair))
  command
    .command('prune')
    .description('remove what this version of offstream does not use, and incomplete downloads')
    .option('--dry-run', 'only show what would be removed, with sizes')
    .addHelpText(
      'after',
      `
Files that a running process uses are never removed. Another version of
offstream on this machine downloads again what it needs.

Exit status: 0 removed, 10 a process uses files that would be removed.

Examples:
  offstream runtime prune --dry-run
  offstream runtime prune

Next: \`offstream runtime list\`.`,
    )
    .action(({ dryRun = false }) => prune(context(), dryRun))
}

const list = async ({ output, pipeline }: Context): Promise<void> => {
  const { cache, runtimes, own } = await pipeline.listRuntimes(process.env)
  output.result({ kind: 'runtimes', cache, runtimes, own }, () =>
    output.table(
      ['runtime', 'size', 'state', 'folder'],
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
  missing: { text: 'missing', tone: 'dim' },
  unused: { text: 'unused', tone: 'warning' },
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
  const { sparkHome, kafkaLibs, connectors, additionalJars, python, java } = runtimes
  const paths = { sparkHome, kafkaLibs, connectors, additionalJars, python, java }
  output.result({ kind: 'runtime', ...paths, archives }, () =>
    [`Spark       ${sparkHome}`, `Kafka       ${kafkaLibs}`, `connectors  ${connectors}`].join('\n'),
  )
  output.note('Everything is installed. Next: `offstream up`')
}

const verify = async ({ output, pipeline, fetchRuntimes }: Context, repair: boolean): Promise<void> => {
  output.live('verifying checksums')
  const verified = await pipeline.verifyRuntimes(process.env)
  const damaged = verified.filter(({ problems }) => problems.length > 0)
  const text = (): string =>
    verified.length === 0
      ? ''
      : output.table(['', 'runtime', 'files', 'result'], verified.flatMap(verifiedRows))
  if (repair && damaged.length > 0) {
    await pipeline.removeDamaged(process.env, damaged)
    await fetchRuntimes()
  }
  output.result({ kind: 'verified', runtimes: verified, repaired: repair && damaged.length > 0 }, text)
  if (verified.length === 0) output.note('Nothing is installed. Next: `offstream runtime install`')
  if (damaged.length === 0) return
  if (!repair) throw damage(damaged)
  output.note(`Downloaded again: ${damaged.map(({ what }) => what).join(', ')}. Next: \`offstream up\``)
}

const maxShownProblems = 5

const verifiedRows = ({ what, files, problems }: VerifiedRuntime): Cell[][] => {
  const mark: Cell = problems.length === 0 ? { text: '✔', tone: 'good' } : { text: '✖', tone: 'bad' }
  const more = problems.length - maxShownProblems
  const lines = [...problems.slice(0, maxShownProblems), ...(more > 0 ? [`and ${more} more`] : [])]
  return [
    [mark, what, String(files), lines[0] ?? 'ok'],
    ...lines.slice(1).map(problem => ['', '', '', problem]),
  ]
}

const damage = (damaged: readonly VerifiedRuntime[]): OffstreamError =>
  new RuntimeError(
    'CHECKSUM_MISMATCH',
    `Checksums differ: ${damaged.map(({ what, problems }) => `${what} (${plural(problems.length, 'file')})`).join(', ')}`,
    {
      hint: 'download again with `offstream runtime verify --repair`',
    },
  )

const prune = async ({ output, pipeline }: Context, dryRun: boolean): Promise<void> => {
  const { removed, kept } = await pipeline.pruneRuntimes(process.env, dryRun)
  output.result({ kind: 'pruned', dryRun, removed, kept, bytes: sum(removed) }, () =>
    removed.length + kept.length === 0
      ? ''
      : output.table(
          ['runtime', 'size', 'action', 'folder'],
          [
            ...removed.map(({ what, bytes: size, name }) => [
              what,
              sized(size),
              dryRun ? 'would be removed' : 'removed',
              name,
            ]),
            ...kept.map(({ name, why }) => ['', '', `kept: ${why}`, name]),
          ],
        ),
  )
  output.note(
    removed.length === 0
      ? 'Nothing to remove. Next: `offstream runtime list`'
      : `${formatBytes(sum(removed))} ${dryRun ? 'would be freed. Next: `offstream runtime prune`' : 'freed'}`,
  )
}

export default define
