import { Config, directoriesOf, saveStack, stateFolder } from '@offstream/pipeline'
import { identify, ServiceRecords } from '@offstream/runtime'
import { expect } from 'vitest'

/** Records that the stack of a project runs, with the Kafka port 1002; its process is that of the test. @returns its state folder */
export const recordRunningStack = async (project: string): Promise<string> => {
  const state = stateFolder(project, null)
  await saveStack({
    ...{ project, state, config: Config.parse({ kafka: { port: 1002 } }), archives: null },
    runtimes: {
      ...{ java: '/jdk/bin/java', javaVersion: '17', python: '/venv/bin/python' },
      ...{ sparkHome: '/spark', kafkaLibs: '/kafka', connectors: '/jars', additionalJars: [] },
      ivy: { settings: '/ivy.xml', cache: '/ivy' },
    },
  })
  const { pid, startId } = (await identify(process.pid)) ?? expect.fail()
  await new ServiceRecords(directoriesOf(state).records).keep({
    ...{ name: 'kafka', phase: 'running', pid, startId, port: 1002, logFile: '/dev/null' },
    ...{ startedAt: null, restarts: 0, detail: null },
  })
  return state
}
