import { once } from 'node:events'
import type { DefineCommand } from '../commands.ts'
import { portNumber, positiveInteger } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .option(
      '--catalogue <file>',
      'products to serve, one JSON object of the Open Food Facts API a line, plain or .gz (default: invented ones)',
    )
    .option(
      '--count <number>',
      'how many products to invent where no catalogue is given',
      positiveInteger,
      1_000,
    )
    .option('--seed <number>', 'the same number invents the same products', positiveInteger, 1)
    .option('--port <port>', 'port to listen on; 0 takes a free one', portNumber, 8_090)
    .option('--world', 'in English, as world.openfoodfacts.org, instead of French')
    .addHelpText(
      'after',
      `
A small web site with the addresses, ids and classes of Open Food Facts, for
trying and testing without disturbing theirs. It listens on this machine only;
Ctrl-C ends it.

Examples:
  offstream site
  offstream site --catalogue products.jsonl --port 8091

Next: \`offstream scrape --url http://127.0.0.1:8090\` in another terminal.`,
    )
    .action(async ({ catalogue: file, count, seed, port, world = false }) => {
      const { generateCatalogue, readCatalogue, startSite } = await import('@offstream/site')
      const { output, signal } = context()
      const catalogue = file === undefined ? generateCatalogue({ count, seed }) : await readCatalogue(file)
      await using site = await startSite({ catalogue, port, lang: world ? 'en' : 'fr' })
      output.event(
        { kind: 'serving', address: site.address, products: catalogue.products.length },
        `${site.address} serves ${catalogue.products.length} products; Ctrl-C ends it`,
      )
      if (!signal.aborted) await once(signal, 'abort')
    })

export default define
