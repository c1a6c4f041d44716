import type { Finding } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import { printable } from '../format.ts'
import type { Cell } from '../output.ts'

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
Checks everything that the services need: Node, Java, Python with its venv
module, a browser, memory, disk space, a writable folder, and ports. For a port
in use it names the program that uses it. It changes nothing.

An existing Kafka cluster (\`kafka.brokers\`) is checked too: connection, user,
topic, version of Kafka, expiry of certificates, and clocks. So is an existing
Thrift server (\`thrift.host\`): connection, user, views, expiry of certificates;
and the password and the certificate of one that is started here.
For an existing Spark cluster (\`spark.master\`) it checks version, workers, free
cores and memory, addresses, and clocks; for Kubernetes, token and permissions.
For a catalog in PostgreSQL or a REST catalog (\`lake.catalog.uri\`) it checks
connection, user and permissions, and the object store of the tables.

Exit status: 0 no problem found, 6 a problem must be fixed first.

Examples:
  offstream doctor
  offstream doctor --profile prod

Next: \`offstream demo\`, or the steps after the arrows (→).`,
    )
    .action(async () => {
      const { output, pipeline, project, setOutcome } = context()
      const { directory, state, config } = await project()
      const findings = await pipeline.examine({
        config,
        environment: process.env,
        directory,
        state,
        ours: pipeline.ownPids(state),
      })
      const verdict = worst(findings)
      output.result({ kind: 'doctor', verdict, findings }, () =>
        output.table(['', 'check', 'result'], findings.flatMap(rowsOf)),
      )
      output.note(conclusions[verdict])
      if (verdict === 'problem') setOutcome('prerequisite')
    })

const worst = (findings: readonly Finding[]): Finding['verdict'] =>
  (['problem', 'warning'] as const).find(verdict => findings.some(finding => finding.verdict === verdict)) ??
  'ok'

const marks: Readonly<Record<Finding['verdict'], Cell>> = {
  ok: { text: '✔', tone: 'good' },
  warning: { text: '!', tone: 'warning' },
  problem: { text: '✖', tone: 'bad' },
}

const conclusions: Readonly<Record<Finding['verdict'], string>> = {
  ok: 'This machine has everything that offstream needs. Next: `offstream demo` or `offstream up`',
  warning: 'offstream runs on this machine, but warnings (!) can cause problems later. Next: `offstream up`',
  problem: 'Fix the problems (✖), then run `offstream doctor` again.',
}

const rowsOf = ({ name, verdict, found, hint }: Finding): Cell[][] => [
  [marks[verdict], name, printable(found)],
  ...(hint === null ? [] : [['', '', { text: `→ ${hint}`, tone: 'dim' as const }]]),
]

export default define
