import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findChromium } from '@offstream/pipeline'
import { generateCatalogue, startSite } from '@offstream/site'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../testCommand.ts'

const chromium = await findChromium()

test.skipIf(chromium === null)(
  'a scrape reads the pages of one list, on the host of a language (needs Chromium)',
  async () => {
    const catalogue = generateCatalogue({ count: 60 })
    await using site = await startSite({ catalogue })
    const folder = await mkdtemp(join(tmpdir(), 'offstream-scrape-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(join(folder, 'offstream.yaml'), `web: { url: ${site.address} }`)
    const tag = catalogue.products[0]?.categories_tags?.[0] ?? ''
    const words = ['scrape', '--lang', 'world', '--category', tag, '--pages', '1', '--dry-run']

    const { stdout } = await runCommand(words, { project: folder })

    const records = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    const listed = catalogue.products.filter(({ categories_tags }) => categories_tags?.includes(tag))
    expect(records.map(({ code }) => code).sort()).toEqual(listed.map(({ code }) => code).sort())
    const { port } = new URL(site.address)
    for (const { url, lang } of records)
      expect([url.replace(/\/product\/.*/, ''), lang]).toEqual([`http://world.localhost:${port}`, 'en'])
  },
)
