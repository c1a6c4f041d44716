import { Option } from '@commander-js/extra-typings'
import type { Config } from '@offstream/pipeline'
import { productSources } from '@offstream/pipeline/names'
import { ensureChromium } from '../browser.ts'
import type { DefineCommand } from '../command.ts'
import {
  collected,
  commaSeparated,
  dateTime,
  positiveInteger,
  positiveNumber,
  siteLanguage,
} from '../optionValues.ts'
import { choiceOf, scrapeRequest } from '../scrapeRequest.ts'

const define: DefineCommand = (command, context) =>
  command
    .optionsGroup('For every source:')
    .addOption(
      new Option('--source <name>', 'where the products come from').choices(productSources).default('web'),
    )
    .option('--limit <number>', 'stop after so many products (default: no bound)', positiveInteger)
    .option('--dry-run', 'write the records as JSON lines instead of publishing them')

    .optionsGroup('For --source web, pages read in a browser:')
    .option('--url <address>', 'a list, one product, or a site (default: `web.url` of the configuration)')
    .option('--category <name>', 'the list of a category, as the site names it or by its tag `en:spreads`')
    .option('--brand <name>', 'the list of a brand')
    .option('--label <name>', 'the list of a label')
    .option(
      '--search <text>',
      'what a search for words finds; for --source api a parameter key=value, which may be repeated',
      collected,
    )
    .option('--country <name>', 'the list of a country: `France`, `fr` or `en:france`; also for exports')
    .option('--lang <host>', 'the host of Open Food Facts: fr, world, world-fr, be-nl …', siteLanguage)
    .option('--pages <number>', 'walk so many pages of the list, of 100 products each', positiveInteger)
    .option(
      '--concurrency <number>',
      'pages open at once (default: the setting `web.concurrency`)',
      positiveInteger,
    )
    .option(
      '--rate <number>',
      'pages a minute at most (default: the setting `web.pagesPerMinute`)',
      positiveNumber,
    )
    .option('--fresh', 'begin anew, instead of going on where an unfinished scrape of the same address was')

    .optionsGroup('For --source api, a few products or a search (`--search`):')
    .option('--codes <codes>', 'barcodes, separated by commas', commaSeparated)
    .addOption(new Option('--api-version <number>', 'for --codes (default: 2)').choices(['2', '3'] as const))

    .optionsGroup('For --source export, many products:')
    .option(
      '--file <file>',
      'path or address of an export (default: the whole JSONL export of Open Food Facts)',
    )
    .option('--deltas [index]', 'the changes of the last days, each once, by their list')
    .option('--since <moment>', 'only what changed since, such as 2026-01-31', dateTime)

    .optionsGroup('For --source topic, any Kafka topic (`topic` in the configuration):')
    .option(
      '--brokers <addresses>',
      'host:port, separated by commas (default: the setting `topic.brokers`)',
      commaSeparated,
    )
    .option('--topic <name>', 'the topic to read (default: the setting `topic.topic`)')
    .option('--group <name>', 'consumer group, which keeps how far the topic was read')
    .addOption(
      new Option('--from <place>', 'where a group begins that has not read it before').choices([
        'beginning',
        'latest',
      ] as const),
    )
    .option('--until-end', 'end at the messages that are there now, instead of waiting for more')

    .addHelpText(
      'after',
      `
Each product becomes one record (a JSON object with the field names of Open Food
Facts), whatever it was read from, and is published to the topic
\`products-events\`. A product that its source says is no more becomes a delete.

On sites that are not on this machine it reads 30 pages a minute, one at a time,
names itself (set \`web.contact\`), and obeys robots.txt. For more than a few
hundred products use \`--source export\`. Standard input takes what a file of it
may hold: CSV, or JSON lines, be they products or answers as the API has them or
records as a dry run writes them; plain or packed with gzip.

Ctrl-C ends it cleanly. A scrape of web pages that was interrupted, even killed,
goes on where it was when it is called again: what Kafka has acknowledged is not
fetched twice, and \`--limit\` counts it too. One that has come to its end begins
anew.

Exit status: 0 done, 2 options that make no sense together, 6 no browser,
9 Kafka or the site does not answer, 10 the address leads elsewhere, is too
large or closed to robots, 13 another scrape of this address is under way,
14 the site refuses us.

Examples:
  offstream scrape --limit 100
  offstream scrape --category chocolats --pages 1 --limit 20 --dry-run
  offstream scrape --search "pâte à tartiner" --limit 20
  offstream scrape --url http://127.0.0.1:8090    (that of \`offstream site\`)
  offstream scrape --source api --codes 3017620422003,3068320123264
  offstream scrape --source api --search categories_tags_en=chocolates
  offstream scrape --source export --country fr --since 2026-01-01
  offstream scrape --source export --deltas
  offstream scrape --source topic --brokers kafka.example.org:9092 --until-end
  offstream scrape --source stdin < records.jsonl

Next: \`offstream status\` follows the products. Data: Open Food Facts, ODbL.`,
    )
    .action(async ({ source: name, dryRun = false, ...options }) => {
      const request = scrapeRequest(name, options)
      const { ScrapeProgress } = await import('../scrapeProgress.ts')
      const { output, pipeline, stack, signal } = context()
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
      if (name === 'stdin' && process.stdin.isTTY)
        output.note('Reading lines from the terminal; Ctrl-D ends them.')
      if (request.kind === 'topic' && !request.untilEnd)
        output.note('Waiting for messages, also for those to come; Ctrl-C ends it.')
      const lines = new ScrapeProgress(output, request.limit ?? null)
      const counts = dryRun
        ? await pipeline.produce({
            source,
            deliver: async ({ json }) => void output.data(String(json)),
            onProgress: lines.progress,
            signal,
          })
        : await pipeline.publishProducts({
            ...{ state: project.state, config, source },
            onProgress: lines.progress,
            signal,
          })
      output.endLive()
      if (!dryRun)
        output.result({ kind: 'scrape', ...counts, ...lines.result(), seconds: lines.seconds() }, () => '')
      output.note(lines.summary(counts, dryRun ? 'written' : 'published', choiceOf(options)))
      if (name === 'web' && !dryRun && signal.aborted)
        output.note('The same command goes on where this ended.')
    })

export default define
