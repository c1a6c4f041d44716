import type { OffstreamError } from '@offstream/runtime/errors'
import { CliError } from './errors.ts'

/**
 * The services that the person named, each once, in the order of `known`; all of `known` where none was named.
 * @throws OffstreamError SERVICE_UNKNOWN, listing what there is
 */
export const chosenServices = <Name extends string>(
  known: readonly Name[],
  asked: readonly string[],
): readonly Name[] => {
  const stranger = asked.find(name => !(known as readonly string[]).includes(name))
  if (stranger !== undefined) throw unknown(stranger, known)
  return asked.length === 0 ? known : known.filter(name => asked.includes(name))
}

const unknown = (name: string, known: readonly string[]): OffstreamError =>
  new CliError('SERVICE_UNKNOWN', `There is no service \`${name}\``, {
    hint: `there are ${known.map(service => `\`${service}\``).join(', ')}`,
  })
