import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { dashboardProgram } from '../project/assets.ts'
import type { Config } from '../project/config.ts'
import { directoriesOf } from '../project/directories.ts'
import { javaEnvironment } from '../runtimes/environment.ts'
import type { ServiceParts, Stack } from './stack.ts'

/** The address of the dashboard's page. */
export const dashboardAddress = ({ host, dashboard }: Config): string => `http://${host}:${dashboard.port}`

/** The web page that shows the stack; it is ready when its server responds with the state folder of this stack. */
export const dashboard = ({ project, state, config }: Stack): ServiceParts => {
  const { dashboardToken, temporary } = directoriesOf(state)
  return {
    command: {
      file: process.execPath,
      args: ['--max-old-space-size=512', dashboardProgram, project, state],
      env: javaEnvironment(temporary),
      cwd: state,
    },
    needs: [],
    port: config.dashboard.port,
    prepare: () => ensureToken(dashboardToken),
    ready: async signal => {
      const response = await fetch(`${dashboardAddress(config)}/api/identity`, { signal })
      const { state: shown } = (await response.json()) as { readonly state?: unknown }
      if (shown !== state) throw new Error('another dashboard responds on its port')
    },
    startTimeoutMs: 30_000,
    stopTimeoutMs: 5_000,
  }
}

/** A restart keeps the token, so that an open page can continue. Only the user may read the file. */
const ensureToken = async (file: string): Promise<void> => {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const token = randomBytes(24).toString('base64url')
  await writeFile(file, token, { mode: 0o600, flag: 'wx' }).catch(error => {
    if (error.code !== 'EEXIST') throw error
  })
}
