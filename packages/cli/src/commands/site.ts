import { once } from 'node:events'
import type { DefineCommand } from '../command.ts'
import { plural } from '../format.ts'
import { collected, portNumber, positiveInteger } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .option(
      '--catalogue <file>',
      'products to serve: JSON lines in the format of the Open Food Facts API, plain or .gz (default: generated products)',
    )
    .option('--count <number>', 'number of generated products', positiveInteger, 1_000)
    .option('--seed <number>', 'seed of the generated products', positiveInteger, 1)
    .option('--port <port>', 'port to listen on; 0: a free port', portNumber, 8_090)
    .option('--world', 'serve English pages, like world.openfoodfacts.org, instead of French ones')
    .option(
      '--fault <name[=path]>',
      'a fault for all responses, or for those of a path (`*` matches anything); can be repeated',
      collected,
    )
    .addHelpText(
      'after',
      `
A small web site with the addresses, ids and classes of Open Food Facts, to try
and test offstream without load on the real site. It listens on this machine
only, until Ctrl-C.

Faults, for \`--fault\`, or for one response with \`?fault=<name>\` in its address;
if several match, the first one applies:
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
      const { address } = site
      const products = catalogue.products.length
      output.result({ kind: 'site', address, products }, () => '')
      output.note(
        `${address} serves ${plural(products, 'product')} until Ctrl-C. Next: \`offstream scrape --url ${address}\` in another terminal`,
      )
      if (!signal.aborted) await once(signal, 'abort')
    })

export default define
