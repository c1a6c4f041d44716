import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { Option } from '@commander-js/extra-typings'
import { tableauAuths } from '@offstream/pipeline/names'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'
import { portNumber } from '../optionValues.ts'

const define: DefineCommand = (command, context) =>
  command
    .option('--server <host>', 'host of the Thrift server (default: that of this stack)')
    .option('--port <number>', 'port of the Thrift server (default: the setting `thrift.port`)', portNumber)
    .addOption(
      new Option('--auth <way>', 'how Tableau authenticates (default: that of this stack)').choices(
        tableauAuths,
      ),
    )
    .option('--schema <name>', 'schema of the view `Products`', 'default')
    .option('--datasource', 'write a data source (`.tds`) for your own sheets, instead of the workbook')
    .option('--output <file>', 'the file to write (default: `Data-viz.twb` or `Products.tds`)')
    .option('--force', 'replace a file with other content')
    .addHelpText(
      'after',
      `
The workbook answers the questions of \`offstream charts\` on 11 sheets, and has a
dashboard with filters by country and category. It reads the view \`Products\`.
Tableau 2026.1 or later and its Spark SQL driver are required.

Ways to authenticate: \`username\` sends any name without a password, as offstream
expects by default; \`ldap\` prompts for name and password, as with the setting
\`thrift.auth.username\`; \`none\` is for servers with the setting
\`hive.server2.authentication=NOSASL\`. With \`thrift.tls.enabled\` Tableau connects
by TLS; the machine with Tableau must trust the certificate authority.

Exit status: 0 written, 2 the file exists with different content.

Examples:
  offstream tableau
  offstream tableau --datasource --output /tmp/Products.tds
  offstream tableau --server spark.example.org --auth ldap --schema food

Next: open the file in Tableau while the stack is running.`,
    )
    .action(async options => {
      const { output, pipeline, project } = context()
      const { config } = await project()
      const { thrift } = config
      const { server = pipeline.thriftHost(config), port = thrift.port, schema, datasource = false } = options
      const { auth = thrift.auth.username === null ? 'username' : 'ldap' } = options
      const connection = { server, port, auth, schema, tls: thrift.tls.enabled }
      const file = resolve(options.output ?? (datasource ? 'Products.tds' : 'Data-viz.twb'))
      const content = datasource
        ? pipeline.tableauDataSource(connection)
        : pipeline.tableauWorkbook(connection)

      const present = await readFile(file, 'utf8').catch(() => null)
      if (present !== null && present !== content && options.force !== true)
        throw new CliError('FILE_EXISTS', `The file \`${file}\` already exists with different content`, {
          hint: 'replace it with `--force`, or choose another file with `--output`',
        })
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
      output.result({ kind: 'tableau', file, ...connection }, () => file)
      output.note(`Next: open it in Tableau, while the Thrift server is running at ${server}:${port}`)
    })

export default define
