import { once } from 'node:events'
import type { DefineCommand } from '../command.ts'
import { collected, portNumber, positiveInteger } from '../optionValues.ts'

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
    .option(
      '--fault <name[=path]>',
      'what goes wrong, with every answer or with those of a path (`*`: anything); may be repeated',
      collected,
    )
    .addHelpText(
      'after',
      `
A small web site with the addresses, ids and classes of Open Food Facts, for
trying and testing without disturbing theirs. It listens on this machine only;
Ctrl-C ends it.

What can go wrong, by \`--fault\`, or for one answer by \`?fault=<name>\` in its
address; where several apply, the first does:
  too-many-requests  retry-after     unavailable       bad-gateway
  server-error       stop-crawling   noindex           maintenance
  login              hang            closed            cut-off
  drip               huge            gzip-bomb         redirect-loop
  redirect-private   wrong-charset   malformed-html    missing-fields
  other-layout

Examples:
  offstream site
  offstream site --catalogue products.jsonl --port 8091
  offstream site --fault maintenance
  offstream site --fault 'unavailable=/produit/*' --fault 'drip=/data/*'

Next: \`offstream scrape --url http://127.0.0.1:8090\` in another terminal.`,
    )
    .action(async ({ catalogue: file, count, seed, port, world = false, fault = [] }) => {
      const { faultRule, generateCatalogue, readCatalogue, startSite } = await import('@offstream/site')
      const { output, signal } = context()
      const faults = fault.map(faultRule)
      const catalogue = file === undefined ? generateCatalogue({ count, seed }) : await readCatalogue(file)
      await using site = await startSite({ catalogue, port, faults, lang: world ? 'en' : 'fr' })
      output.event(
        { kind: 'serving', address: site.address, products: catalogue.products.length },
        `${site.address} serves ${catalogue.products.length} products; Ctrl-C ends it`,
      )
      if (!signal.aborted) await once(signal, 'abort')
    })

export default define
