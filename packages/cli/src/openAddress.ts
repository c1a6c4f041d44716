import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { CliError } from './errors.ts'

const opener = process.platform === 'darwin' ? 'open' : 'xdg-open'

/**
 * Opens an address in the default browser of the user.
 * @throws CliError BROWSER_MISSING if the system has no program for that
 */
export const openAddress = async (address: string): Promise<void> => {
  const child = spawn(opener, [address], { detached: true, stdio: 'ignore' })
  await once(child, 'spawn').catch(error => {
    throw new CliError('BROWSER_MISSING', `\`${opener}\` cannot be started`, {
      hint: `open ${address} in a browser`,
      cause: error,
    })
  })
  child.unref()
}
