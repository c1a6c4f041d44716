import type { MakeContext } from './command.ts'
import type { Context } from './context.ts'

/**
 * A context whose taken ports are replaced by free ones, each of which is told. What runs already keeps its ports.
 * @param settings of the command, such as `spark.worker.cores=4`
 */
export const withFreePorts = async (
  makeContext: MakeContext,
  settings: readonly string[],
): Promise<Context> => {
  const { output, pipeline, project } = makeContext(settings)
  const { config, state } = await project()
  const chosen = await pipeline.freePorts(config, await pipeline.ownPids(state))
  for (const setting of chosen) output.note(`taken: the port of ${setting.replace('=', ' is now ')}`)
  return makeContext([...settings, ...chosen])
}
