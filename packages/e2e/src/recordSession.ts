/**
 * Records the pictures of the README: runs the commands against real services, with the stand-in site, and writes
 * `docs/session.svg` and the dashboard in both themes. `npm run record` runs it; the durations in the pictures are those of
 * that run.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findChromium } from '@offstream/pipeline'
import { generateCatalogue, startSite } from '@offstream/site'
import { chromium } from 'playwright'
import { root } from './repository.ts'
import { scratchStack } from './stack.ts'
import { type Shown, terminalSvg } from './terminalSvg.ts'

/** A terminal shows only the last state of a bar. */
const progressBars = /^(?:.*━.*\n)+(?=.*━)/m

const site = await startSite({ catalogue: generateCatalogue({ count: 1_000 }) })
const stack = await scratchStack()
try {
  const session: Shown[] = []
  const record = async (...args: readonly string[]): Promise<void> => {
    const { stdout, stderr } = await stack.succeed(args, { env: { NO_COLOR: '', FORCE_COLOR: '1' } })
    const quoted = args.map(word => (/[\s*]/.test(word) ? `"${word}"` : word))
    const output = [stderr, stdout].filter(text => text !== '').join('\n')
    session.push({
      command: `offstream ${quoted.join(' ')}`,
      output: output.replaceAll(stack.directory, '~/food').replace(progressBars, ''),
    })
  }
  await record('up')
  await record('submit')
  await record('scrape', '--url', site.address, '--limit', '200')
  await stack.succeed(['wait', '--for', 'visible>=200', '--for', 'healthy', '--timeout', '2m'])
  await record('status')
  await record('charts', 'nutri-score-ranking', '--format', 'text')
  await takePictures()
  await writeFile(join(root, 'docs/session.svg'), terminalSvg(session))
} finally {
  await stack[Symbol.asyncDispose]()
  await site[Symbol.asyncDispose]()
}

/** Writes `docs/dashboard-light.png` and `docs/dashboard-dark.png`, taken after three scrapes of the export. */
async function takePictures(): Promise<void> {
  const { address } = (await stack.json(['dashboard'])) as { readonly address: string }
  const browser = await chromium.launch({
    executablePath: (await findChromium()) ?? '',
    chromiumSandbox: process.getuid?.() !== 0,
  })
  try {
    const pages = await Promise.all(
      (['light', 'dark'] as const).map(async colorScheme => {
        const viewport = { width: 1_200, height: 800 }
        const page = await browser.newPage({ locale: 'en', colorScheme, viewport, reducedMotion: 'reduce' })
        await page.goto(address)
        return { colorScheme, page }
      }),
    )
    const file = `${site.address}/data/openfoodfacts-products.jsonl.gz`
    for (const limit of [300, 600, 1_000])
      await stack.succeed(['scrape', '--source', 'export', '--file', file, '--limit', String(limit)])
    await stack.succeed(['wait', '--for', 'visible>=1000', '--for', 'lag=0', '--timeout', '2m'])
    for (const { colorScheme, page } of pages) {
      await page.locator('[data-stack="healthy"]').waitFor()
      await page.locator('[data-hop="thrift"][data-count="1000"]').waitFor()
      await page.screenshot({ path: join(root, `docs/dashboard-${colorScheme}.png`) })
    }
  } finally {
    await browser.close()
  }
}
