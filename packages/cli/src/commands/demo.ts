import { ensureChromium } from '../browser.ts'
import type { DefineCommand } from '../command.ts'
import { parseCondition } from '../condition.ts'
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
    .option('--limit <number>', 'how many products to read', positiveInteger, 200)
    .option('--down', 'end everything afterwards; the products stay')
    .addHelpText(
      'after',
      `
Fetches what is missing (0.6 GB the first time), starts all services, reads
products from a stand-in for Open Food Facts that it serves on this machine
(1,000 invented products), sends them the whole way into the table, and shows
rows that came out. The network is needed for the fetching only.

Everything is left running for you to try. If a port is taken, a free one is
used and told.

Examples:
  offstream demo
  offstream demo --limit 20 --down

Next: it ends with commands to try; \`offstream down\` ends what runs.`,
    )
    .action(async ({ limit, down = false }) => {
      const [{ ScrapeProgress }, { statusText }] = await words()
      const { generateCatalogue, startSite } = await import('@offstream/site')
      const { output, pipeline, settings, call, signal } = await withFreePorts(context, [])
      const bold = (text: string): string => output.paint({ text, tone: 'bold' })
      const step = (title: string): void => output.event({ kind: 'step', title }, `\n${bold(title)}`)

      step('Getting what is needed')
      const stack = await settings()
      const { state, config } = stack
      const executablePath = await ensureChromium({ output, pipeline, signal }, config)

      step('Starting the services and the job')
      await pipeline.startServices(stack, pipeline.serviceNames, call)

      step(`Scraping ${limit} products from the stand-in site`)
      await using site = await startSite({ catalogue: generateCatalogue({}) })
      const source = pipeline.openWebSource(
        state,
        { ...config, browser: { executablePath } },
        { address: site.address, limit },
      )
      const lines = new ScrapeProgress(output, limit)
      const counts = await pipeline.publishProducts({
        state,
        config,
        source,
        onProgress: lines.progress,
        signal,
      })
      output.endLive()
      output.event({ kind: 'scraped', ...counts }, lines.summary(counts, 'published'))
      signal.throwIfAborted()

      step('Waiting until they are visible through the Thrift server')
      const status = await pipeline.waitFor(arrival, () => pipeline.lookAt(state, config), {
        ...{ timeoutMs: arrivalTimeoutMs, intervalMs: 300, signal },
      })
      const { host, thrift } = config
      const rows = await pipeline.query({ host, port: thrift.port }, sample, { signal })
      const names = rows.columns.map(({ name }) => name)
      output.result(
        {
          kind: 'demo',
          status,
          rows: rows.rows.map(row => Object.fromEntries(names.map((name, at) => [name, row[at]]))),
        },
        () =>
          [
            statusText(status),
            `\nThree of ${status.flow.visible} rows, as Tableau or any SQL client sees them on port ${thrift.port}:\n`,
            output.table(
              names,
              rows.rows.map(row => row.map(value => String(value ?? ''))),
            ),
          ].join('\n'),
      )
      if (down) {
        step('Ending everything')
        await pipeline.stopStack(state, call)
      } else output.note(nextSteps(bold('What next'), thrift.port))
    })

// In a function with `await using`, TypeScript 5.9 would leave the imports of a build with their `.ts`.
const words = () => Promise.all([import('../scrapeProgress.ts'), import('../statusText.ts')])

/** The table and the view must answer; the counts of a service that does not answer are unknown. */
const arrival = ['lag=0', 'visible>0', 'rows>=0', 'rejected>=0', 'healthy'].map(parseCondition)

const nextSteps = (title: string, port: number): string => `
${title}
  npx offstream query "SELECT nova_group, count(*) AS n FROM Products GROUP BY nova_group ORDER BY 1"
  npx offstream charts                    draw the four charts from these rows
  npx offstream status                    every service, and the products step by step
  npx offstream scrape --limit 20        the real Open Food Facts, politely: 30 pages a minute
  Data-viz.twb                           open it in Tableau: it reads Products on port ${port}
  npx offstream down                     end everything; the products stay`

export default define
