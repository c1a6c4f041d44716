import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { generateCatalogue } from './generate.ts'
import { type Site, startSite } from './site.ts'

const realPages = join(import.meta.dirname, '../../../../shared/off/pages')
const scraper = join(import.meta.dirname, '../../pipeline/src/sources/web/pages.ts')

/** Selectors that no saved page contains, because the saved pages are excerpts. */
const beyondTheExcerpts = [
  // Rendered by the list's script, which is not saved.
  '.list_product_a',
  // Only on lists with more than one page (openfoodfacts-server, tests/unit/display.t).
  '#pages',
  'rel="next',
  // Only on products that are no longer sold (openfoodfacts-server, templates/web/pages/product/product_page.tt.html).
  '#obsolete',
  '#og_image',
  '#panel_additives_content',
  'id="panel_additive_',
  '#panel_environmental_score',
]

/** This product has a page but is not in lists. */
const obsolete = { code: '2100000000005', product_name: 'Thé glacé', obsolete: 'on' }

let site: Site
beforeAll(async () => {
  site = await startSite({
    catalogue: { products: [...generateCatalogue({ count: 300 }).products, obsolete] },
  })
})
afterAll(() => site[Symbol.asyncDispose]())

/** A home page with its files, enough products to cover optional elements, and an unknown product. */
const ourPages = async (): Promise<string> => {
  const home = await text('/')
  const products = [...home.matchAll(/"url":"\/\/[^/]+(\/[^"]+)"/g)].map(each => each[1] ?? '')
  const others = ['/js/dist/product-search.js', `/produit/${obsolete.code}`, '/produit/2100000000012']
  return [home, ...(await Promise.all([...others, ...products].map(text)))].join('\n')
}
const text = async (path: string): Promise<string> => (await fetch(site.address + path)).text()

/** The ids, classes and attributes that the scraper's selectors name. */
const wanted = (): readonly string[] => {
  const [, table = ''] = /^const selectors = \{(.*?)^\}/ms.exec(readFileSync(scraper, 'utf8')) ?? []
  const code = table.replace(/^ *\/\/.*$/gm, '')
  const selectors = [...code.matchAll(/: '([^']+)'/g)].map(each => each[1] ?? '').join(' ')
  return [...new Set(selectors.match(/[#.][a-z][\w-]*|\[[a-z]+\^?="[^"]+"\]/gi) ?? [])].map(inMarkup)
}

/** `[rel^="next"]` becomes `rel="next`, the start of the attribute. */
const inMarkup = (part: string): string =>
  part.replace(/^\[(\w+)\^="([^"]+)"\]$/, '$1="$2').replace(/^\[(.*)\]$/, '$1')

const shows = (markup: string, part: string): boolean => {
  if (part.startsWith('#')) return markup.includes(`id="${part.slice(1)}"`)
  if (!part.startsWith('.')) return markup.includes(part)
  return new RegExp(`(?:class|className) ?= ?["'](?:[^"']* )?${part.slice(1)}(?: [^"']*)?["']`).test(markup)
}

test('our pages contain each id, class and attribute of the scraper', async () => {
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
