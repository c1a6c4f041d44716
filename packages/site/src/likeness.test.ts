import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateCatalogue } from './generate.ts'
import { type Site, startSite } from './site.ts'

const realPages = join(import.meta.dirname, '../../../../shared/off/pages')
const scraper = join(import.meta.dirname, '../../pipeline/src/sources/web/pages.ts')

/** What the scraper looks for that no saved page shows: they are excerpts, and end before these. */
const beyondTheExcerpts = [
  // Drawn by the list's script, which is not saved.
  '.list_product_a',
  // Of lists longer than a page (openfoodfacts-server, tests/unit/display.t).
  '#pages',
  'rel="next',
  '#og_image',
  '#panel_additives_content',
  'id="panel_additive_',
  '#panel_environmental_score',
]

let site: Site
beforeAll(async () => {
  site = await startSite({ catalogue: generateCatalogue({ count: 300 }) })
})
afterAll(() => site[Symbol.asyncDispose]())

/** A home page, all that it needs, and enough products that each has what some lack. */
const ourPages = async (): Promise<string> => {
  const home = await text('/')
  const products = [...home.matchAll(/"url":"\/\/[^/]+(\/[^"]+)"/g)].map(each => each[1] ?? '')
  return [home, await text('/js/dist/product-search.js'), ...(await Promise.all(products.map(text)))].join(
    '\n',
  )
}
const text = async (path: string): Promise<string> => (await fetch(site.address + path)).text()

/** The ids, classes and attributes that the scraper's selectors name. */
const wanted = (): readonly string[] => {
  const [, table = ''] = /^const selectors = \{(.*?)^\}/ms.exec(readFileSync(scraper, 'utf8')) ?? []
  const code = table.replace(/^ *\/\/.*$/gm, '')
  const selectors = [...code.matchAll(/: '([^']+)'/g)].map(each => each[1] ?? '').join(' ')
  return [...new Set(selectors.match(/[#.][a-z][\w-]*|\[[a-z]+\^?="[^"]+"\]/gi) ?? [])].map(inMarkup)
}

/** `[rel^="next"]` is `rel="next`, with or without more after it. */
const inMarkup = (part: string): string =>
  part.replace(/^\[(\w+)\^="([^"]+)"\]$/, '$1="$2').replace(/^\[(.*)\]$/, '$1')

const shows = (markup: string, part: string): boolean => {
  if (part.startsWith('#')) return markup.includes(`id="${part.slice(1)}"`)
  if (!part.startsWith('.')) return markup.includes(part)
  return new RegExp(`(?:class|className) ?= ?["'](?:[^"']* )?${part.slice(1)}(?: [^"']*)?["']`).test(markup)
}

test('each id, class and attribute that the scraper looks for is on our pages', async () => {
  const pages = await ourPages()
  expect(wanted().length).toBeGreaterThan(20)
  expect(wanted().filter(part => !shows(pages, part))).toEqual([])
})

test.skipIf(!existsSync(realPages))(
  `each is on a real page too, but for those beyond the excerpts (needs ${realPages})`,
  () => {
    const pages = readdirSync(realPages)
      .filter(name => name.endsWith('.html'))
      .map(name => readFileSync(join(realPages, name), 'utf8'))
      .join('\n')
    expect(
      wanted()
        .filter(part => !shows(pages, part))
        .sort(),
    ).toEqual([...beyondTheExcerpts].sort())
  },
)
