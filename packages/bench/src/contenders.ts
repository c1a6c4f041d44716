import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory } from '@offstream/pipeline'
import { execa } from 'execa'
import { offstream } from './siteProcess.ts'

/** One of those who read the same pages: its name in the table, and the command that reads the site. */
export interface Contender {
  readonly name: string
  readonly command: readonly [file: string, ...args: string[]]
}

const own = import.meta.dirname
const spider = join(own, '../spider.py')

/**
 * The contenders, for a site and a Chromium that are the same for all. Each writes a line of JSON for each product.
 * @param pages how many products the site has
 */
export const contenders = async (
  site: string,
  chromium: string,
  pages: number,
): Promise<readonly Contender[]> => {
  const node = process.execPath
  const scrape = ['scrape', '--dry-run', '--url', site, '--limit', String(pages)]
  return [
    {
      name: '`offstream scrape --dry-run`',
      command: [node, offstream, '--set', `browser.executablePath=${chromium}`, ...scrape],
    },
    {
      name: 'plain Playwright, a new page each, two at a time',
      command: [node, join(own, 'plainPlaywright.js'), site, chromium],
    },
    {
      name: 'crawlee, PlaywrightCrawler as it comes',
      command: [node, join(own, 'crawlee.js'), site, chromium],
    },
    {
      name: 'Scrapy with scrapy-playwright as they come',
      command: [
        await scrapy(),
        'runspider',
        spider,
        ...['-a', `site=${site}`, '-a', `chromium=${chromium}`],
        ...['-o', '-:jsonlines', '--loglevel', 'ERROR'],
      ],
    },
  ]
}

const requirements = ['scrapy==2.19.0', 'scrapy-playwright==0.0.48', 'playwright==1.65.1']

/** Scrapy's command, in a virtual environment in the cache, which is made where it is not there yet. */
const scrapy = async (): Promise<string> => {
  const folder = join(cacheDirectory(process.env), `bench-${requirements.join('-').replaceAll('==', '-')}`)
  const command = join(folder, 'bin', 'scrapy')
  const isThere = await execa(command, ['version'], { reject: false })
  if (isThere.exitCode === 0) return command
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await execa('python3', ['-m', 'venv', folder])
  await execa(join(folder, 'bin', 'pip'), ['install', '--quiet', ...requirements])
  return command
}
