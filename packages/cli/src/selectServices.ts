import { CliError } from './errors.ts'

/**
 * The services named on the command line, each once and in the order of `known`; all of `known` if none is named.
 * @throws CliError SERVICE_UNKNOWN, which lists the known ones
 */
export const selectServices = <Name extends string>(
  known: readonly Name[],
  requested: readonly string[],
): readonly Name[] => {
  const unknown = requested.find(name => !(known as readonly string[]).includes(name))
  if (unknown !== undefined)
    throw new CliError('SERVICE_UNKNOWN', `Service \`${unknown}\` does not exist`, {
      hint: `use one of ${known.map(service => `\`${service}\``).join(', ')}`,
    })
  return requested.length === 0 ? known : known.filter(name => requested.includes(name))
}
