import { readFile } from 'node:fs/promises'
import { type Config, dashboardAddress, directoriesOf } from '@offstream/pipeline'

/**
 * The address that opens the dashboard with permission for actions: it contains the token, which the browser exchanges for a
 * cookie. Without a token file (the dashboard never ran) it is the plain address.
 */
export const signInAddress = async (state: string, config: Config): Promise<string> => {
  const token = await readFile(directoriesOf(state).dashboardToken, 'utf8').catch(() => null)
  const address = dashboardAddress(config)
  return token === null ? address : `${address}/?token=${token}`
}
