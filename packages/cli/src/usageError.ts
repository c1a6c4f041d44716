import type { CommanderError } from '@commander-js/extra-typings'
import { CliError } from './errors.ts'

/**
 * A mistake on the command line that commander found, in the form of all other errors.
 * @param command the command that was called, if it is known
 */
export const usageErrorOf = ({ message }: CommanderError, command: string | undefined): CliError => {
  const [, what = message, suggestion] =
    /^(?:error: )?(.*?)(?:\s*\(Did you mean (.+)\?\))?$/s.exec(message) ?? []
  const guess = suggestion === undefined ? '' : `did you mean \`${suggestion}\`? `
  const help = command === undefined ? 'offstream --help' : `offstream ${command} --help`
  return new CliError('USAGE_INVALID', sentence(what.replace(/'([^']*)'/g, '`$1`')), {
    hint: `${guess}run \`${help}\``,
  })
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
