import type { ClusterAddress, Project } from '@offstream/pipeline'
import type { MakeContext } from './command.ts'
import type { Context } from './context.ts'

/** Parts of the context, after checking that Kafka is running, with its cluster. */
export const withKafka = async (
  context: MakeContext,
): Promise<
  Pick<Context, 'output' | 'pipeline' | 'signal'> & {
    readonly project: Project
    readonly cluster: ClusterAddress
  }
> => {
  const { output, pipeline, signal, stack } = context()
  const project = await stack()
  await pipeline.requireRunning(project, ['kafka'], signal)
  const cluster = await pipeline.clusterOf(project.config, project.state)
  return { output, pipeline, signal, project, cluster }
}
