import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execa } from 'execa'

/** The command, built. */
export const offstream = join(import.meta.dirname, '../../cli/bin/offstream.js')

/** The stand-in site in a process of its own. */
export interface SiteProcess extends AsyncDisposable {
  /** Such as `http://127.0.0.1:43210`. */
  readonly address: string
}

export const startSite = async (products: number): Promise<SiteProcess> => {
  const child = execa(
    process.execPath,
    [offstream, 'site', '--count', String(products), '--port', '0', '--json'],
    { reject: false },
  )
  const [line] = await once(createInterface({ input: child.stdout }), 'line')
  return {
    address: JSON.parse(line).address,
    async [Symbol.asyncDispose]() {
      child.kill()
      await child
    },
  }
}
