import { openWebSource, produce, publishProducts } from '@offstream/pipeline'
import { ensureChromium } from '../browser.ts'
import type { DefineCommand } from '../commands.ts'
import { positiveInteger, positiveNumber } from '../optionValues.ts'
import { ScrapeLines } from '../scrapeLines.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--url <address>', 'a list of products, or one product (default: `web.url` of the configuration)')
    .option('--limit <number>', 'stop after so many products', positiveInteger)
    .option('--concurrency <number>', 'pages open at once', positiveInteger)
    .option('--rate <number>', 'pages a minute at most', positiveNumber)
    .option('--dry-run', 'write the records as JSON lines instead of publishing them')
    .addHelpText(
      'after',
      `
Walks from list to list in a real browser, visits each product's page once and publishes its record to the topic
\`products-events\`. On a site that is not on this machine it opens one page at a time, 30 a minute, and obeys
robots.txt. Ctrl-C ends it cleanly. Data: Open Food Facts, ODbL.

Examples:
  offstream scrape --limit 100
  offstream scrape --url https://fr.openfoodfacts.org/categorie/chocolats --limit 20 --dry-run
  offstream scrape --url http://127.0.0.1:8090      (the stand-in of \`offstream site\`)`,
    )
    .action(async ({ url, limit, concurrency, rate, dryRun = false }) => {
      const { output, stack, signal } = context()
      const { state, config } = await stack()
      const executablePath = await ensureChromium(output, config, signal)
      const source = openWebSource(
        state,
        { ...config, browser: { executablePath } },
        { address: url, limit, concurrency, pagesPerMinute: rate },
      )
      const lines = new ScrapeLines(output)
      const counts = dryRun
        ? await produce({
            source,
            deliver: async product => output.data(JSON.stringify(product)),
            onProgress: lines.progress,
            signal,
          })
        : await publishProducts({ state, config, source, onProgress: lines.progress, signal })
      output.endLive()
      if (!dryRun) output.result({ kind: 'scrape', ...counts, seconds: lines.seconds() }, () => '')
      output.note(lines.summary(counts, dryRun ? 'written' : 'published'))
    })

export default define
