/**
 * Records the terminal session of the README: runs the commands against real services, with the stand-in site, and writes
 * `docs/session.svg`. `npm run record` runs it; the durations in the picture are those of that run.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateCatalogue, startSite } from '@offstream/site'
import { root } from './repository.ts'
import { scratchStack } from './stack.ts'
import { type Shown, terminalSvg } from './terminalSvg.ts'

const site = await startSite({ catalogue: generateCatalogue({ count: 200 }) })
const stack = await scratchStack()
try {
  const session: Shown[] = []
  const record = async (...args: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await stack.succeed(args, { env: { NO_COLOR: '', FORCE_COLOR: '1' } })
    const quoted = args.map(word => (/[\s*]/.test(word) ? `"${word}"` : word))
    const output = [stderr, stdout].filter(text => text !== '').join('\n')
    session.push({
      command: `offstream ${quoted.join(' ')}`,
      output: output.replaceAll(stack.directory, '~/food'),
    })
  }
  await record('up')
  await record('submit')
  await record('scrape', '--url', site.address, '--limit', '200')
  await stack.succeed(['wait', '--for', 'visible>=200', '--for', 'healthy', '--timeout', '2m'])
  await record('status')
  await record('charts', 'nutri-score-ranking', '--format', 'text')
  await record('down')
  await writeFile(join(root, 'docs/session.svg'), terminalSvg(session))
} finally {
  await stack[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
}
