import { ensureChromium } from '../browser.ts'
import type { DefineCommand } from '../command.ts'
import { parseCondition } from '../condition.ts'
import { prepareExternalServices } from '../externalServices.ts'
import { printable } from '../format.ts'
import { withFreePorts } from '../freePorts.ts'
import { positiveInteger } from '../optionValues.ts'

const arrivalTimeoutMs = 120_000

const sample = `
SELECT code, product_name, brands, nutriscore_grade AS nutriscore, nova_group AS nova
FROM Products
WHERE product_name IS NOT NULL
ORDER BY product_name
LIMIT 3`

const define: DefineCommand = (command, context) =>
  command
    .option('--limit <number>', 'number of products to scrape', positiveInteger, 200)
    .option('--down', 'stop everything afterwards; the products stay')
    .addHelpText(
      'after',
      `
Downloads Spark and Kafka (0.6 GB, the first time only), starts all services,
scrapes products from a stand-in for Open Food Facts that it serves on this
machine (1,000 generated products), and shows rows of the table. Only the
downloads need the network.

The services keep running, so that you can try them. If a port is in use, the
next free one is used instead.

Exit status: 0 ok, 6 a prerequisite is missing, 8 the products did not reach the
table in time, 11 a download failed, 12 a service exited.

Examples:
  offstream demo
  offstream demo --limit 20 --down

Next: it prints commands to try; \`offstream down\` stops everything.`,
    )
    .action(async ({ limit, down = false }) => {
      const [{ ScrapeProgress }, { statusText }, { signInAddress }] = await textModules()
      const { generateCatalogue, startSite } = await import('@offstream/site')
      const { output, pipeline, project, settings, call, signal } = await withFreePorts(context, [])
      const bold = (text: string): string => output.paint({ text, tone: 'bold' })
      const step = (title: string): void => output.event({ kind: 'step', title }, `\n${bold(title)}`)

      step('Downloading what is missing')
      const chromium = ensureChromium({ output, pipeline, signal }, (await project()).config)
      const [stack, executablePath] = await bothOf(settings(), chromium)
      const { state, config } = stack

      step('Starting the services and the job')
      await prepareExternalServices(stack, { pipeline, output, signal })
      await pipeline.startServices(stack, pipeline.serviceNames, call)

      step(`Scraping ${limit} products from the stand-in site`)
      await using site = await startSite({ catalogue: generateCatalogue({}) })
      const source = pipeline.openWebSource(
        state,
        { ...config, browser: { executablePath } },
        { address: site.address, limit },
      )
      const progress = new ScrapeProgress(output, limit)
      const counts = await pipeline.publishProducts({
        state,
        config,
        source,
        onProgress: progress.report,
        signal,
      })
      output.endLive()
      output.event({ kind: 'scraped', ...counts }, progress.summary(counts, 'published'))
      signal.throwIfAborted()

      step('Waiting until the products are visible to SQL clients')
      const status = await pipeline.waitFor(arrival, () => pipeline.currentStatus(state, config), {
        ...{ timeoutMs: arrivalTimeoutMs, intervalMs: 300, signal },
      })
      const thrift = await pipeline.thriftOf(config, state)
      const rows = await pipeline.query(thrift, sample, { signal })
      const names = rows.columns.map(({ name }) => name)
      if (down) {
        step('Stopping everything')
        await pipeline.stopStack(state, call)
      }
      output.result(
        {
          kind: 'demo',
          status,
          rows: rows.rows.map(row => Object.fromEntries(names.map((name, at) => [name, row[at]]))),
        },
        () =>
          [
            statusText(status),
            `\n${rows.rows.length} of ${status.flow.visible} rows, as Tableau and other SQL clients see them on port ${thrift.port}:\n`,
            output.table(
              names,
              rows.rows.map(row => row.map(value => printable(String(value ?? '')))),
            ),
          ].join('\n'),
      )
      if (!down) output.note(nextSteps(bold('Next steps'), thrift.port, await signInAddress(state, config)))
    })

/** Both results. If one fails, the other download completes before the error is thrown, because the next run needs it. */
const bothOf = async <A, B>(one: Promise<A>, other: Promise<B>): Promise<readonly [A, B]> => {
  await Promise.allSettled([one, other])
  return [await one, await other]
}

// TypeScript 5.9 does not rewrite `.ts` imports inside a function with `await using`.
const textModules = () =>
  Promise.all([import('../scrapeProgress.ts'), import('../statusText.ts'), import('@offstream/dashboard')])

/** The counts of a service that does not respond are unknown, and fulfil no condition. */
const arrival = ['lag=0', 'visible>0', 'rows>=0', 'rejected>=0', 'healthy'].map(parseCondition)

const nextSteps = (title: string, port: number, dashboard: string): string => `
${title}
  ${dashboard}
                                          open it in a browser: the dashboard
  npx offstream query "SELECT nova_group, count(*) AS n FROM Products GROUP BY nova_group ORDER BY 1"
  npx offstream charts                    draw charts of these rows
  npx offstream status                    check the services and count the products
  npx offstream scrape --limit 20         the real Open Food Facts, 30 pages a minute
  Data-viz.twb                            open it in Tableau: it reads Products on port ${port}
  npx offstream down                      stop everything; the products stay`

export default define
