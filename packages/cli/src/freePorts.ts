import type { MakeContext } from './command.ts'
import type { Context } from './context.ts'

/**
 * A context in which free ports replace taken ones; each replacement is printed. Running services keep their ports.
 * @param settings of the command, for example `spark.worker.cores=4`
 */
export const withFreePorts = async (
  makeContext: MakeContext,
  settings: readonly string[],
): Promise<Context> => {
  const { output, pipeline, project } = makeContext(settings)
  const { config, state } = await project()
  const chosen = await pipeline.freePorts(config, await pipeline.ownPids(state))
  for (const setting of chosen) {
    const [path = '', port] = setting.split('=')
    output.event(
      { kind: 'portChanged', setting: path, port: Number(port) },
      `Port ${pipeline.numberAt(config, path)} (${path}) is in use; using port ${port} instead`,
    )
  }
  return makeContext([...settings, ...chosen])
}
