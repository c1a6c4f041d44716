import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cacheDirectory } from '@offstream/pipeline'
import { execa } from 'execa'
import { offstream } from './siteProcess.ts'

/** A program that reads the same pages: its name in the table, and its command. */
export interface Contender {
  readonly name: string
  readonly command: readonly [file: string, ...args: string[]]
}

const dist = import.meta.dirname
const spider = join(dist, '../spider.py')

/**
 * The contenders. All use the same site and Chromium, and print a line of JSON per product.
 * @param pages the number of products on the site
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
      name: 'plain Playwright, a new page per product, two at a time',
      command: [node, join(dist, 'plainPlaywright.js'), site, chromium],
    },
    {
      name: 'crawlee, PlaywrightCrawler with default settings',
      command: [node, join(dist, 'crawlee.js'), site, chromium],
    },
    {
      name: 'Scrapy with scrapy-playwright, default settings',
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

/** Scrapy's command. Installs it into a virtual environment in the cache if necessary. */
const scrapy = async (): Promise<string> => {
  const folder = join(cacheDirectory(process.env), `bench-${requirements.join('-').replaceAll('==', '-')}`)
  const command = join(folder, 'bin', 'scrapy')
  const version = await execa(command, ['version'], { reject: false })
  if (version.exitCode === 0) return command
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await execa('python3', ['-m', 'venv', folder])
  await execa(join(folder, 'bin', 'pip'), ['install', '--quiet', ...requirements])
  return command
}
