import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { optionsFor, projectFolder, stateFolder } from '../project/directories.ts'
import { ownPids } from './running.ts'

/**
 * Which options select the running services of other profiles and stacks of the project, for a command that found none,
 * such as `status` without `--profile` after `up --profile prod`. Null if nothing else runs.
 */
export const otherServicesHint = async (state: string): Promise<string | null> => {
  const states = await stateFolders(stateFolder(projectFolder(state), null))
  const running = await Promise.all(
    states.map(async other => (other !== state && (await ownPids(other)).size > 0 ? selection(other) : [])),
  )
  const selections = running.flat()
  return selections.length === 0
    ? null
    : `Other services of this project are running: ${selections.join('; ')}`
}

/** The state folder and those of its profiles and named stacks, whether something runs or not. */
const stateFolders = async (state: string): Promise<string[]> => {
  const below = async (folder: string) =>
    (await readdir(join(state, folder)).catch(() => [])).sort().map(name => join(state, folder, name))
  const profiles = await Promise.all((await below('profiles')).map(stateFolders))
  return [state, ...profiles.flat(), ...(await below('stacks'))]
}

const selection = (state: string): string[] => {
  const options = optionsFor(state)
  return [options.length === 0 ? 'omit `--profile` and `--stack`' : `add \`${options.join(' ')}\``]
}
