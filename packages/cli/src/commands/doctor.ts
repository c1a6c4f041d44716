import type { Finding } from '@offstream/pipeline'
import type { DefineCommand } from '../command.ts'
import { printable } from '../format.ts'
import type { Cell } from '../output.ts'

const define: DefineCommand = (command, context) =>
  command
    .addHelpText(
      'after',
      `
Looks at everything that a start depends on: Node, Java, Python with its module
venv, a browser, memory, disk, whether the folder can be written to, and ports;
a taken port is told with the program that holds it. Nothing is changed.

Exit status: 0 all is there, 6 something must be mended first.

Example:
  offstream doctor

Next: \`offstream demo\`, or what the arrows (→) advise.`,
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
        output.table(['', 'what', 'found'], findings.flatMap(rowsOf)),
      )
      output.note(closing[verdict])
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

const closing: Readonly<Record<Finding['verdict'], string>> = {
  ok: 'This machine has all that is needed. Next: `offstream demo` or `offstream up`',
  warning: 'It will work; what is marked with ! may trouble you later.',
  problem: 'Mend what is marked with ✖ first.',
}

const rowsOf = ({ name, verdict, found, hint }: Finding): Cell[][] => [
  [marks[verdict], name, printable(found)],
  ...(hint === null ? [] : [['', '', { text: `→ ${hint}`, tone: 'dim' as const }]]),
]

export default define
