import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { cleanText, gradeAmong, novaGroup } from '../../normalise.ts'
import { environmentalScoreGrades, normaliseCode, nutriScoreGrades, type Product } from '../../product.ts'
import { findChromium } from './chromium.ts'
import { type Answer, listPage, nextLink, serve } from './testSite.ts'
import { webSource } from './web.ts'

const catalogueFile = join(import.meta.dirname, '../../../../../../shared/off/products.jsonl')
const executablePath = await findChromium()
const impossible = executablePath === null || !existsSync(catalogueFile)

const text = z.string().nullable()
const CatalogueProduct = z.object({
  code: z.string(),
  product_name: text,
  generic_name: text,
  brands: text,
  quantity: text,
  ingredients_text: text,
  nutriscore_grade: text,
  nova_group: z.number().nullable(),
  environmental_score_grade: text,
  nutriments: z.record(z.string(), z.union([z.number(), z.string(), z.null()])).nullable(),
})
type CatalogueProduct = z.infer<typeof CatalogueProduct>

/** What page and catalogue must agree on. */
const compared = [
  'product_name',
  'nutriscore_grade',
  'nova_group',
  'environmental_score_grade',
  'energy_kcal_100g',
  'fat_100g',
  'saturated_fat_100g',
  'carbohydrates_100g',
  'sugars_100g',
  'fiber_100g',
  'proteins_100g',
  'salt_100g',
] as const
type Compared = Pick<Product, (typeof compared)[number]>

test.skipIf(impossible)(
  `every name, grade, NOVA group and nutriment of 1,000 real products comes through their pages (needs Chromium and ${catalogueFile})`,
  async () => {
    const catalogue = await readCatalogue()
    const found = await crawlAll(catalogue)

    const differences = catalogue.flatMap(product => {
      const code = normaliseCode(product.code) ?? ''
      const [expected, actual] = [expectedOf(product), found.get(code)]
      return compared
        .filter(field => actual?.[field] !== expected[field])
        .map(field => [code, field, expected[field], actual?.[field]])
    })
    expect(found.size).toBe(catalogue.length)
    expect(differences).toEqual([
      // Its title is `Pepsi - 33cl`, and its brand Pepsi: the same page as that of a product without a name.
      ['0000886100252', 'product_name', 'Pepsi', null],
      // The catalogue has only its kilojoules; the site converts them for its page.
      ['00000758', 'energy_kcal_100g', null, 34],
    ])
  },
)

const readCatalogue = async (): Promise<readonly CatalogueProduct[]> => {
  const lines = (await readFile(catalogueFile, 'utf8')).trim().split('\n')
  return lines.map(line => CatalogueProduct.parse(JSON.parse(line)))
}

const crawlAll = async (catalogue: readonly CatalogueProduct[]): Promise<ReadonlyMap<string, Product>> => {
  await using site = await serve(() => siteOf(catalogue))
  const storageDirectory = await mkdtemp(join(tmpdir(), 'offstream-catalogue-'))
  const found = new Map<string, Product>()
  try {
    await webSource({
      address: site.origin,
      concurrency: 2,
      pagesPerMinute: null,
      userAgent: 'offstream-test',
      chromium: { executablePath: executablePath ?? '' },
      storageDirectory,
    }).run({
      deliver: async product => void found.set(product.code, product),
      report: () => undefined,
      signal: new AbortController().signal,
    })
  } finally {
    await rm(storageDirectory, { recursive: true })
  }
  return found
}

const number = (product: CatalogueProduct, name: string): number | null => {
  const value = product.nutriments?.[`${name}_100g`]
  return typeof value === 'number' ? value : null
}

const expectedOf = (product: CatalogueProduct): Compared => ({
  product_name: cleanText(product.product_name),
  nutriscore_grade: gradeAmong(nutriScoreGrades, product.nutriscore_grade),
  nova_group: novaGroup(product.nova_group === null ? null : String(product.nova_group)),
  environmental_score_grade: gradeAmong(environmentalScoreGrades, product.environmental_score_grade),
  energy_kcal_100g: number(product, 'energy-kcal'),
  fat_100g: number(product, 'fat'),
  saturated_fat_100g: number(product, 'saturated-fat'),
  carbohydrates_100g: number(product, 'carbohydrates'),
  sugars_100g: number(product, 'sugars'),
  fiber_100g: number(product, 'fiber'),
  proteins_100g: number(product, 'proteins'),
  salt_100g: number(product, 'salt'),
})

/** The catalogue as list pages of 100 and product pages, every other one in French. */
const siteOf = (catalogue: readonly CatalogueProduct[]): Readonly<Record<string, Answer>> => {
  const pages = Array.from({ length: Math.ceil(catalogue.length / 100) }, (_, index) => index + 1)
  const lists = pages.map(page => {
    const codes = catalogue.slice((page - 1) * 100, page * 100).map(({ code }) => code)
    return [
      page === 1 ? '/' : `/${page}`,
      listPage(codes, page < pages.length ? nextLink(`/${page + 1}`) : ''),
    ]
  })
  const products = catalogue.map((product, index) => [
    `/product/${product.code}/x`,
    render(product, index % 2 === 0 ? 'fr' : 'en'),
  ])
  return Object.fromEntries([...lists, ...products])
}

const words = {
  en: { for100: 'As sold<br>for 100 g / 100 ml', energy: 'Energy' },
  fr: { for100: 'Tel que vendu<br>pour 100 g / 100 ml', energy: 'Énergie' },
} as const

const nutrients: readonly (readonly [name: string, en: string, fr: string])[] = [
  ['fat', 'Fat', 'Matières grasses'],
  ['saturated-fat', 'Saturated fat', 'Acides gras saturés'],
  ['monounsaturated-fat', 'Monounsaturated fat', 'Acides gras monoinsaturés'],
  ['carbohydrates', 'Carbohydrates', 'Glucides'],
  ['sugars', 'Sugars', 'Sucres'],
  ['fiber', 'Fiber', 'Fibres alimentaires'],
  ['proteins', 'Proteins', 'Protéines'],
  ['salt', 'Salt', 'Sel'],
]

/** A product page in markup of our own, with the real site's ids, classes and ways of writing. */
const render = (product: CatalogueProduct, lang: 'en' | 'fr'): string => {
  const decimal = new Intl.NumberFormat(lang, { maximumFractionDigits: 20 })
  const amount = (value: number | null): string => (value === null ? '?' : `${decimal.format(value)} g`)
  const kilojoules = number(product, 'energy')
  const kilocalories = number(product, 'energy-kcal') ?? Math.trunc((kilojoules ?? 0) / 4.184)
  const energy =
    kilojoules === null ? '?' : `${decimal.format(kilojoules)} kJ<br>(${decimal.format(kilocalories)} kcal)`
  const rows = nutrients.map(([name, en, fr]) => [lang === 'en' ? en : fr, amount(number(product, name))])
  const cells = [[words[lang].energy, energy], ...rows].map(
    ([label, value]) => `<tr><td><span>${label}</span></td><td><span>${value}</span></td></tr>`,
  )
  const environment = product.environmental_score_grade?.replace('-', '_')
  return `<!doctype html><html lang="${lang}"><body>
    <h1 property="food:name">${escaped(titleOf(product))}</h1>
    <span id="barcode">${product.code}</span>
    ${field('generic_name', product.generic_name)}${field('quantity', product.quantity)}${brandsField(product)}
    ${panel('nutriscore_2023', `grade_${product.nutriscore_grade?.replace('-', '_')}`)}
    ${panel('nova', '', `<img src="/nova-group-${product.nova_group ?? 'unknown'}.svg">`)}
    ${environment === undefined ? '' : panel('environmental_score', `grade_${environment}`)}
    <ul id="panel_nutrition_facts_table"><li><div id="panel_nutrition_facts_table_content"><table>
      <thead><tr><th>x</th><th>${words[lang].for100}</th></tr></thead><tbody>${cells.join('')}</tbody>
    </table></div></li></ul>`
}

const panel = (name: string, grade: string, content = ''): string =>
  `<ul id="panel_${name}"><li><a class="panel_title ${grade}">${content}</a></li></ul>`

const field = (name: string, value: string | null): string =>
  value === null || value === '' ? '' : `<span id="field_${name}_value">${escaped(value)}</span>`

const brandsField = ({ brands }: CatalogueProduct): string => {
  const links = (brands ?? '').split(',').filter(brand => brand.trim() !== '')
  return links.length === 0
    ? ''
    : `<span id="field_brands_value">${links.map(brand => `<a>${escaped(brand)}</a>`).join(', ')}</span>`
}

/** Name, first brand and quantity as the site joins them (see `nameInTitle`). */
const titleOf = ({ product_name, generic_name, brands, quantity }: CatalogueProduct): string => {
  let title = product_name || generic_name || ''
  const brand = brands?.replace(/,.*/s, '')
  if (brand !== undefined && !id(title).includes(id(brand))) title += ` - ${brand}`
  title = title.replace(/^ - /, '')
  if (quantity && !id(title).includes(id(quantity)))
    title += ` - ${quantity.replace(/(\d) (\w)/g, '$1\u00a0$2')}`
  return title.replace(/^ - /, '')
}

const id = (written: string): string => {
  const plain = written.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '')
  return `-${plain.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '')}-`
}

const escaped = (written: string): string =>
  written.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
