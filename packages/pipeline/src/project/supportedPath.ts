import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'

/**
 * Characters that Kafka and Spark do not take literally in a path. A comma separates folders in Kafka's `log.dirs` and in
 * Spark's list of local folders, a colon those of its executors; `?` starts the parameters of the catalog's address; `#`,
 * `%`, `<`, `>`, `|`, `^` and the back-tick are special in URIs, `*`, `[`, `]`, `{` and `}` in patterns and placeholders,
 * quotes and backslashes in lists of options.
 */
const unsupported = /[,:?#%<>|^`*[\]{}"\\\p{Cc}]/u

/**
 * Does nothing if the services can use this folder. Otherwise their data would be written elsewhere, or they would fail
 * later with an error that does not name the path.
 * @throws OffstreamError PATH_UNSUPPORTED
 */
export const requireSupportedPath = (folder: string): void => {
  const character = unsupported.exec(folder)?.[0]
  if (character !== undefined) throw pathUnsupported(folder, character)
}

const pathUnsupported = (folder: string, character: string): OffstreamError => {
  const isControl = /\p{Cc}/u.test(character)
  const escaped = isControl ? JSON.stringify(folder).slice(1, -1) : folder
  return new PipelineError(
    'PATH_UNSUPPORTED',
    `${isControl ? 'A control character' : `\`${character}\``} cannot be in the path of a project: \`${escaped}\``,
  )
}
