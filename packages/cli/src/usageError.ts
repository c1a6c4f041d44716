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
  return new CliError('USAGE_INVALID', invalidValue(what) ?? sentence(what), {
    hint: `${guess}run \`${help}\``,
  })
}

/** `option '--limit <number>' argument 'many' is invalid. It must be …`, or the same of an argument, in our words. */
const invalidValue = (message: string): string | null => {
  const ofOption =
    /^option '(?<name>.+?)' (?:value|argument) '(?<value>.*?)'(?: from env '(?<variable>\w+)')? is invalid\. (?<why>.*)$/s
  const ofArgument =
    /^command-argument value '(?<value>.*?)' is invalid for argument '(?<name>.+?)'\. (?<why>.*)$/s
  const { name, value, variable, why } = (ofOption.exec(message) ?? ofArgument.exec(message))?.groups ?? {}
  if (name === undefined || value === undefined || why === undefined) return null
  const reason = `${why.charAt(0).toLowerCase()}${why.slice(1)}`.replace(/\.$/, '')
  const place = variable === undefined ? `\`${name}\`` : `\`${name}\` (from ${variable})`
  return `Invalid value \`${value}\` for ${place}: ${reason}`
}

const sentence = (text: string): string =>
  text.charAt(0).toUpperCase() + text.slice(1).replace(/'([^']*)'/g, '`$1`')
