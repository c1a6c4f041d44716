import { type Command, Option } from '@commander-js/extra-typings'
import type { Config, ProduceCounts } from '@offstream/pipeline'
import { productSources } from '@offstream/pipeline/names'
import type { OffstreamError } from '@offstream/runtime'
import { ensureChromium } from '../browser.ts'
import type { DefineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import {
  collected,
  commaSeparated,
  dateTime,
  positiveInteger,
  positiveNumber,
  siteLanguage,
} from '../optionValues.ts'
import type { Output } from '../output.ts'

const define: DefineCommand = (command, context) =>
  withOptions(command)
    .addHelpText('after', helpText)
    .action(options => scrape(options, context()))

const withOptions = (command: Command) =>
  command
    .optionsGroup('For every source:')
    .addOption(
      new Option('--source <name>', 'the source of the products').choices(productSources).default('web'),
    )
    .option('--limit <number>', 'stop after this number of products (default: no limit)', positiveInteger)
    .option('--dry-run', 'print the records as JSON lines instead of publishing them')

    .optionsGroup('For --source web, pages in a browser:')
    .option('--url <address>', 'a list, a product, or a site (default: the setting `web.url`)')
    .option(
      '--category <name>',
      'the list of a category, by its name on the site or its tag, for example `en:spreads`',
    )
    .option('--brand <name>', 'the list of a brand')
    .option('--label <name>', 'the list of a label')
    .option(
      '--search <text>',
      'search for words; with --source api a parameter key=value, can be repeated',
      collected,
    )
    .option(
      '--country <name>',
      'the list of a country: `France`, `fr` or `en:france`; also with --source export',
    )
    .option('--lang <host>', 'the host of Open Food Facts: fr, world, world-fr, be-nl …', siteLanguage)
    .option(
      '--pages <number>',
      'read this number of pages of the list, with 100 products each',
      positiveInteger,
    )
    .option(
      '--concurrency <number>',
      'maximum number of open pages (default: the setting `web.concurrency`)',
      positiveInteger,
    )
    .option(
      '--rate <number>',
      'maximum number of pages a minute (default: the setting `web.pagesPerMinute`)',
      positiveNumber,
    )
    .option('--fresh', 'start over, instead of resuming an interrupted scrape of the same address')

    .optionsGroup('For --source api, a few products or a search (`--search`):')
    .option('--codes <codes>', 'barcodes, separated by commas', commaSeparated)
    .addOption(
      new Option('--api-version <number>', 'version of the API, for --codes (default: 2)').choices([
        '2',
        '3',
      ] as const),
    )

    .optionsGroup('For --source export, many products:')
    .option(
      '--file <file>',
      'path or address of an export (default: the full JSONL export of Open Food Facts)',
    )
    .option('--deltas [index]', 'the daily changes, each of them once; optionally from another index')
    .option('--since <date>', 'only products that changed since this date, for example 2026-01-31', dateTime)

    .optionsGroup('For --source topic, any Kafka topic (settings in `topic`):')
    .option(
      '--brokers <addresses>',
      'addresses host:port, separated by commas (default: the setting `topic.brokers`)',
      commaSeparated,
    )
    .option('--topic <name>', 'the topic to read (default: the setting `topic.topic`)')
    .option('--group <name>', 'consumer group for the committed offsets')
    .addOption(
      new Option('--from <position>', 'where a new consumer group starts').choices([
        'beginning',
        'latest',
      ] as const),
    )
    .option('--until-end', 'stop at the current end of the topic, instead of waiting for new messages')

type ScrapeOptions = ReturnType<ReturnType<typeof withOptions>['opts']>

const helpText = `
Each product becomes one record (a JSON object with the field names of Open Food
Facts), with the same form for all sources, and is published to the topic
\`products-events\`. A product that was deleted at its source is published as a
delete.

On sites that are not on this machine, offstream opens one page at a time, 30 a
minute, identifies itself (set \`web.contact\`), and obeys robots.txt. For more
than a few hundred products use \`--source export\`. Standard input can be CSV or
JSON lines (products or responses from the API, or records of a dry run), plain
or compressed with gzip.

Ctrl-C stops a scrape. An interrupted or killed scrape of web pages resumes when
you run the same command again: products that Kafka has acknowledged are not
fetched again, and count towards \`--limit\`. A completed scrape starts over.

Exit status: 0 ok, 2 invalid options, 6 no browser found, 9 could not connect to
Kafka or the site, 10 the address redirects to another site or is disallowed by
robots.txt, or its response is too large, 12 all inputs were skipped, 13 another
scrape of this address is running, 14 the site blocks offstream.

Examples:
  offstream scrape --limit 100
  offstream scrape --category chocolats --pages 1 --limit 20 --dry-run
  offstream scrape --search "pâte à tartiner" --limit 20
  offstream scrape --url http://127.0.0.1:8090    (served by \`offstream site\`)
  offstream scrape --source api --codes 3017620422003,3068320123264
  offstream scrape --source api --search categories_tags_en=chocolates
  offstream scrape --source export --country fr --since 2026-01-01
  offstream scrape --source export --deltas
  offstream scrape --source topic --brokers kafka.example.org:9092 --until-end
  offstream scrape --source stdin < records.jsonl

Next: \`offstream status\` counts the products at each step. Data: Open Food
Facts, ODbL.`

const scrape = async (
  { source: name, dryRun: dry, ...options }: ScrapeOptions,
  { output, pipeline, stack, signal }: Context,
): Promise<void> => {
  const dryRun = dry === true
  const { filterOf, scrapeRequest } = await import('../scrapeRequest.ts')
  const request = scrapeRequest(name, options)
  const { allSkipped, ScrapeProgress } = await import('../scrapeProgress.ts')
  const project = await stack()
  const config: Config =
    name === 'web'
      ? {
          ...project.config,
          browser: { executablePath: await ensureChromium({ output, pipeline, signal }, project.config) },
        }
      : project.config
  const source = pipeline.openSource(request, {
    project: { ...project, config },
    environment: process.env,
    input: process.stdin,
    remembers: !dryRun,
  })
  if (name === 'stdin' && process.stdin.isTTY) output.note('Reading lines from the terminal until Ctrl-D.')
  if (request.kind === 'topic' && !request.untilEnd)
    output.note('Reading messages, including new ones, until Ctrl-C.')
  const progress = new ScrapeProgress(output, request.limit ?? null)
  const counts = dryRun
    ? await pipeline.produce({
        source,
        deliver: async ({ json }) => void printRecord(output, String(json)),
        onProgress: progress.report,
        signal,
      })
    : await pipeline.publishProducts({
        ...{ state: project.state, config, source },
        onProgress: progress.report,
        signal,
      })
  output.endLive()
  output.result(
    { kind: 'scrape', dryRun, ...counts, ...progress.result(), seconds: progress.seconds() },
    () => '',
  )
  const summary = progress.summary(counts, dryRun ? 'printed' : 'published', filterOf(options))
  const resumes = name === 'web' && !dryRun && signal.aborted
  output.note(
    `${summary}${resumes ? '. Next: run the same command again to resume' : nextStep(counts, dryRun)}`,
  )
  if (allSkipped(counts) && !progress.isResumed && !signal.aborted) throw nothingRead(counts)
}

const nothingRead = ({ skipped }: ProduceCounts): OffstreamError =>
  new CliError(
    'ALL_SKIPPED',
    skipped === 1 ? 'The only input was skipped' : `All ${skipped} inputs were skipped`,
  )

const nextStep = ({ delivered }: ProduceCounts, dryRun: boolean): string => {
  if (delivered === 0) return ''
  return dryRun ? '. Next: run it without `--dry-run` to publish them' : '. Next: `offstream status`'
}

/** A record is JSON already. With `--json` it is wrapped as an event. */
const printRecord = (output: Output, json: string): void => {
  if (output.mode === 'json') output.event({ kind: 'record', record: JSON.parse(json) }, '')
  else output.data(output.jsonText(JSON.parse(json)))
}

export default define
