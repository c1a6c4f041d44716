import { type ErrorDefinition, exitStatus } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import { CliError } from '../errors.ts'

const define: DefineCommand = (command, context) =>
  command
    .argument('[code]', 'the code in brackets after an error message (default: list all codes)')
    .addHelpText(
      'after',
      `
Prints the cause of an error, its exit status and what to do about it.

Exit status: 0 explained, 2 unknown code.

Examples:
  offstream explain PORT_TAKEN
  offstream explain

Next: \`offstream report\` writes a report for errors that you cannot explain.`,
    )
    .action(async code => {
      const { output } = context()
      const { errorCodes } = await import('../errorCodes.ts')
      const entryOf = (name: string, { outcome, cause, remedy }: ErrorDefinition) => ({
        ...{ code: name, exitStatus: exitStatus[outcome], outcome, cause, remedy },
      })
      if (code === undefined) {
        const codes = [...errorCodes].map(([name, definition]) => entryOf(name, definition))
        output.result({ kind: 'explain', codes }, () =>
          output.table(
            ['code', 'exit status', 'cause'],
            codes.map(({ code, exitStatus, cause }) => [code, String(exitStatus), cause]),
            output.dataWidth,
          ),
        )
        output.note('\nNext: `offstream explain <code>` prints one of them in full')
        return
      }
      const name = code.replace(/^\[|\]$/g, '').toUpperCase()
      const definition = errorCodes.get(name)
      if (definition === undefined) throw await unknown(code, name, [...errorCodes.keys()])
      const entry = entryOf(name, definition)
      output.result({ kind: 'explain', ...entry }, () =>
        [
          `${output.paint({ text: name, tone: 'bold' })}  exit status ${entry.exitStatus}\n`,
          entry.cause,
          `→ ${entry.remedy}`,
        ].join('\n'),
      )
    })

const unknown = async (written: string, name: string, codes: readonly string[]): Promise<CliError> => {
  const { default: leven } = await import('leven')
  const [nearest = ''] = codes.toSorted((one, other) => leven(name, one) - leven(name, other))
  // Text that differs in more than half of its letters is not a misspelled code.
  const isNear = leven(name, nearest) <= nearest.length / 2
  return new CliError('CODE_UNKNOWN', `\`${written}\` is not an error code`, {
    hint: `${isNear ? `did you mean \`offstream explain ${nearest}\`? ` : ''}\`offstream explain\` lists all codes`,
  })
}

export default define
