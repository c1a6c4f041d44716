import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'

/** The built command. */
export const offstream = join(import.meta.dirname, '../../cli/bin/offstream.js')

/** The stand-in site in a separate process. */
export interface SiteProcess extends AsyncDisposable {
  /** Such as `http://127.0.0.1:43210`. */
  readonly address: string
}

export const startSite = (products: number): Promise<SiteProcess> =>
  siteBy([process.execPath, offstream, 'site', '--count', String(products), '--port', '0', '--json'])

/**
 * Starts a site and waits for its address on the first line of its output.
 * @throws Error with the end of its standard error if it exits before
 */
export const siteBy = async ([file, ...args]: readonly [string, ...string[]]): Promise<SiteProcess> => {
  const child = execa(file, args, { reject: false })
  const firstLine = once(createInterface({ input: child.stdout }), 'line').then(([line]) => String(line))
  const line = await Promise.race([firstLine, child.then(() => '')])
  const address = addressIn(line)
  if (address === null) {
    child.kill()
    const { exitCode, stderr } = await child
    throw new Error(`the site did not start and exited with ${exitCode}:\n${stderr.slice(-2_000)}`)
  }
  return {
    address,
    async [Symbol.asyncDispose]() {
      child.kill()
      await child
    },
  }
}

const addressIn = (line: string): string | null => {
  try {
    return JSON.parse(line).address ?? null
  } catch {
    return null
  }
}
