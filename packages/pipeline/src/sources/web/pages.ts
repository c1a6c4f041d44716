import type { Page } from 'playwright'
import { environmentalScoreGrades, normaliseCode, nutriScoreGrades } from '../../names.ts'
import { cleanText, gradeAmong, joinNames, novaGroup } from '../../product/normalise.ts'
import type { Product } from '../../product/product.ts'
import { flagged } from '../../product/quality.ts'
import { type Nutriments, nutrimentsOf } from './nutrition.ts'
import { nameInTitle } from './title.ts'

/**
 * Where each thing stands on a page of Open Food Facts (read 2026). All of it is read in one round trip; a question
 * to the browser for each field would cost more than the rest of the visit.
 */
const selectors = {
  language: 'html',
  canonical: 'link[rel="canonical"]',

  // Lists. `ul.products` comes empty and is filled by a script.
  list: 'ul.products',
  listedProducts: 'a.list_product_a',
  pagination: '#pages',
  // The site's own slip: its `rel` reads `next$nofollow`.
  nextPage: '#pages a[rel^="next"]',

  // Products. The title stands twice, as h1 and as h2.
  title: 'h1[property="food:name"]',
  // Hidden where the code has no bars.
  barcode: '#barcode',
  // There only where a product is no longer sold.
  obsolete: '#obsolete',
  genericName: '#field_generic_name_value',
  quantity: '#field_quantity_value',
  brands: '#field_brands_value',
  brandNames: '#field_brands_value a',
  categories: '#field_categories_value',
  categoryNames: '#field_categories_value a',
  labels: '#field_labels_value',
  labelNames: '#field_labels_value a',
  countries: '#field_countries_value',
  countryNames: '#field_countries_value a',
  image: '#og_image',
  // Panels of single ingredients and additives stand inside the panel of the ingredients, with texts of their own.
  ingredientTexts: '#panel_ingredients_content .panel_text:not(#panel_ingredients_content ul .panel_text)',
  additives: '#panel_additives_content [id^="panel_additive_"] h4',
  nutriScore: '#panel_nutriscore_2023 > li > a.panel_title',
  // The number of the group is only in the name of its picture.
  nova: '#panel_nova > li > a.panel_title img',
  environmentalScore: '#panel_environmental_score > li > a.panel_title',
  nutritionHead: '#panel_nutrition_facts_table_content thead th',
  nutritionRows: '#panel_nutrition_facts_table_content tbody tr',

  // Neither.
  heading: 'h1',
  documentTitle: 'title',
  // What the site's own page for an address that leads nowhere says under its heading.
  errorText: 'h1.if-empty-dnone ~ p',
  // An answer that is plain text, whether or not it says so.
  plainText: 'body > pre, body:not(:has(*))',
} as const

type Place = keyof typeof selectors

/** The columns of the record whose place on the page may move, each with the selector that it is read by. */
export const fieldSelectors = {
  product_name: selectors.title,
  lang: selectors.language,
  generic_name: selectors.genericName,
  quantity: selectors.quantity,
  brands: selectors.brands,
  categories: selectors.categories,
  labels: selectors.labels,
  countries: selectors.countries,
  image_url: selectors.image,
  ingredients_text: selectors.ingredientTexts,
  additives: selectors.additives,
  nutriscore_grade: selectors.nutriScore,
  nova_group: selectors.nova,
  environmental_score_grade: selectors.environmentalScore,
  // One for all nutriments: they stand in one table.
  proteins_100g: selectors.nutritionRows,
} as const satisfies Partial<Record<keyof Product, string>>
export type WatchedField = keyof typeof fieldSelectors
/** What makes a page a product's. */
export const productSelectors = [selectors.barcode, selectors.title] as const
/** What makes a page a list's. */
export const listSelectors = [selectors.list] as const

/** An element as it stands on the page: its text, the text of each child element, its attributes as written. */
interface Found {
  readonly text: string
  readonly children: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
}

/** Everything that was found on a page, as text. Plain data: what is made of it needs no browser. */
export interface PageContent {
  /** Where the page came from in the end, after redirects. */
  readonly address: string
  readonly found: Readonly<Partial<Record<Place, readonly Found[]>>>
  /** The page's inline `var products`; null where it has none. */
  readonly products: readonly { readonly code: string; readonly url: string }[] | null
}

// What `readInPage` uses of the browser's world; the DOM's types would let the whole package name `window`.
interface PageElement {
  readonly textContent: string | null
  readonly children: Iterable<PageElement>
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>
}
declare const document: { readonly querySelectorAll: (selector: string) => Iterable<PageElement> }
declare const products: unknown

/** Runs inside the page, so it can use nothing from this file. */
const readInPage = (places: Readonly<Record<string, string>>): Omit<PageContent, 'address'> => {
  // No honest text of a product is as long; a hostile one must not fill the memory.
  const text = (element: PageElement) => (element.textContent ?? '').slice(0, 20_000)
  const read = (element: PageElement) => ({
    text: text(element),
    children: [...element.children].map(text),
    attributes: Object.fromEntries([...element.attributes].map(({ name, value }) => [name, value])),
  })
  const found = Object.entries(places).map(([place, selector]) => [
    place,
    [...document.querySelectorAll(selector)].map(read),
  ])
  const listed = typeof products === 'undefined' || !Array.isArray(products) ? null : products
  return {
    found: Object.fromEntries(found),
    products: listed?.map(each => ({ code: String(each?.code), url: String(each?.url) })) ?? null,
  }
}

/** How long the script that draws a list may take, where the list is not in `var products`. */
const listDrawnWithinMs = 3_000

/** Reads the page that `page` shows. */
export const readContent = async (page: Page): Promise<PageContent> => {
  const read = async () => ({ ...(await page.evaluate(readInPage, selectors)), address: page.url() })
  const content = await read()
  const isEmptyList = (content.found.list ?? []).length > 0 && content.products === null
  if (!isEmptyList || (content.found.listedProducts ?? []).length > 0) return content
  return page
    .waitForSelector(selectors.listedProducts, { state: 'attached', timeout: listDrawnWithinMs })
    .then(read, () => content)
}

/** A product that a list names. */
export interface ListedProduct {
  /** Normalised barcode. */
  readonly code: string
  readonly address: string
}

/** A page of a list of products: home page, category, brand, country, search. */
export class ListPage {
  private readonly content: PageContent

  constructor(content: PageContent) {
    this.content = content
  }

  /** Whether the page says what is on it, be it nothing. */
  readonly isDrawn = (): boolean => this.content.products !== null || this.renderedProducts().length > 0

  /** The products of this page, each once, in their order; what has no barcode is no product. */
  readonly products = (): readonly ListedProduct[] => {
    const listed = this.content.products ?? this.renderedProducts()
    const byCode = new Map<string, string>()
    for (const { code, url } of listed) {
      const normalised = normaliseCode(code)
      const address = resolve(url, this.content.address)
      if (normalised !== null && address !== null && !byCode.has(normalised)) byCode.set(normalised, address)
    }
    return [...byCode].map(([code, address]) => ({ code, address }))
  }

  /** The address of the list's next page; null after the last. */
  readonly next = (): string | null => {
    const { found, address } = this.content
    const link = found.nextPage?.[0]?.attributes['href']
    if (link !== undefined) return resolve(link, address)
    const hasPagination = (found.pagination ?? []).length > 0
    return hasPagination || this.products().length < pageSize(address) ? null : followingAddress(address)
  }

  private readonly renderedProducts = (): readonly { readonly code: string; readonly url: string }[] =>
    (this.content.found.listedProducts ?? []).map(({ attributes }) => {
      const url = attributes['href'] ?? ''
      return { code: codeInAddress(url) ?? '', url }
    })
}

/** The page of one product. */
export class ProductPage {
  private readonly content: PageContent

  constructor(content: PageContent) {
    this.content = content
  }

  /** The barcode, normalised; null where the page shows none that could be one. */
  readonly code = () => normaliseCode(this.text('barcode') ?? '')
  readonly name = () =>
    nameInTitle({ title: this.text('title'), brand: this.brandNames()[0] ?? null, quantity: this.quantity() })
  readonly genericName = () => this.text('genericName')
  readonly quantity = () => this.text('quantity')
  readonly brands = () => joinNames(this.brandNames())
  readonly categories = () => joinNames(this.names('categoryNames', 'categories'))
  readonly labels = () => joinNames(this.names('labelNames', 'labels'))
  readonly countries = () => joinNames(this.names('countryNames', 'countries'))
  readonly nutriScore = () => gradeAmong(nutriScoreGrades, this.grade('nutriScore'))
  readonly environmentalScore = () => gradeAmong(environmentalScoreGrades, this.grade('environmentalScore'))
  readonly nova = () => novaGroup(/nova-group-(\d)\./.exec(this.attribute('nova', 'src') ?? '')?.[1])
  readonly additives = () => joinNames(this.texts('additives'))
  readonly lang = () => /^[a-z]{2}/.exec(this.attribute('language', 'lang') ?? '')?.[0] ?? null
  readonly image = () => resolve(this.attribute('image', 'src'), this.content.address)

  readonly ingredients = () =>
    cleanText(this.ingredientTexts().find(({ label }) => !isAllergensOrTraces(label))?.text)

  readonly allergens = () =>
    joinNames((this.ingredientTexts().find(({ label }) => isAllergens(label))?.text ?? '').split(','))

  /** The page has no panel of additives where there are none; without ingredients nobody knows. */
  readonly additivesCount = () => {
    const count = this.texts('additives').length
    return count === 0 && this.ingredients() === null ? null : count
  }

  /** The address under which the site files the page. */
  readonly address = () =>
    resolve(this.attribute('canonical', 'href'), this.content.address) ?? this.content.address

  readonly nutriments = (): Nutriments =>
    nutrimentsOf(
      {
        head: this.texts('nutritionHead'),
        rows: (this.content.found.nutritionRows ?? []).map(({ children }) => children),
      },
      this.lang() ?? 'en',
    )

  /**
   * The record of the product; null where the page has no barcode. A page tells neither revision nor time of
   * modification, so the record holds for the moment it was seen.
   */
  readonly product = (seenAt: Date): Product | null => {
    const code = this.code()
    if (code === null) return null
    return flagged({
      code,
      product_name: this.name(),
      generic_name: this.genericName(),
      quantity: this.quantity(),
      brands: this.brands(),
      categories: this.categories(),
      labels: this.labels(),
      countries: this.countries(),
      ingredients_text: this.ingredients(),
      allergens: this.allergens(),
      additives: this.additives(),
      additives_n: this.additivesCount(),
      nutriscore_grade: this.nutriScore(),
      nova_group: this.nova(),
      environmental_score_grade: this.environmentalScore(),
      ...this.nutriments(),
      image_url: this.image(),
      url: this.address(),
      lang: this.lang(),
      last_modified_t: null,
      rev: null,
      as_of: seenAt.toISOString(),
      observed_at: seenAt.toISOString(),
      source: 'web',
    })
  }

  private readonly texts = (place: Place) => (this.content.found[place] ?? []).map(({ text }) => text)
  private readonly text = (place: Place) => cleanText(this.texts(place)[0])
  private readonly attribute = (place: Place, name: string) =>
    this.content.found[place]?.[0]?.attributes[name] ?? null

  /** The names of a list: its links, or, where it has none, the text between commas. */
  private readonly names = (links: Place, whole: Place) => {
    const linked = this.texts(links)
    return linked.length > 0 ? linked : (this.texts(whole)[0] ?? '').split(',')
  }

  private readonly brandNames = () =>
    this.names('brandNames', 'brands')
      .map(cleanText)
      .filter(name => name !== null)

  private readonly grade = (place: Place) =>
    /(?:^|\s)grade_([a-z_-]+)(?:\s|$)/.exec(this.attribute(place, 'class') ?? '')?.[1]

  /** The texts of the ingredients' panel, each parted from the label in bold before it, if it has one. */
  private readonly ingredientTexts = (): readonly { readonly label: string; readonly text: string }[] =>
    (this.content.found.ingredientTexts ?? []).map(({ text, children }) => {
      const first = children[0] ?? ''
      const isLabel = /[:：]\s*$/.test(first) && text.trimStart().startsWith(first.trimStart())
      return isLabel
        ? { label: first.trim(), text: text.trimStart().slice(first.trimStart().length) }
        : { label: '', text }
    })
}

// A label may also name the language of the ingredients, where it is not the page's.
const isAllergens = (label: string): boolean => /^all?[eé]rg/i.test(label)
const isAllergensOrTraces = (label: string): boolean =>
  isAllergens(label) || /^tra[cz]|^spuren|^sporen/i.test(label)

/** The barcode in the address of a product page (`/product/<code>/<slug>`, `/produit/…`); null in any other. */
export const codeInAddress = (address: string): string | null =>
  /^(?:https?:)?(?:\/\/[^/]+)?\/[^/]+\/(\d{4,24})(?:\/[^/]*)?$/.exec(address.replace(/[?#].*$/s, ''))?.[1] ??
  null

/** The normalised barcode of a product by the address of its page; null where that has none. */
export const codeOfAddress = (address: string): string | null => normaliseCode(codeInAddress(address) ?? '')

const resolve = (written: string | null | undefined, base: string): string | null =>
  written !== null && written !== undefined && URL.canParse(written, base)
    ? new URL(written, base).href
    : null

// A shorter page is the last: asking for one more would only trouble the site.
const pageSize = (address: string): number => Number(new URL(address).searchParams.get('page_size')) || 50

/** Lists by query go on at `?page=N`, others at `/N`. */
const followingAddress = (address: string): string => {
  const next = new URL(address)
  const numbered = /^(.*)\/(\d+)$/.exec(next.pathname)
  const page = Number(next.searchParams.get('page') ?? numbered?.[2] ?? 1) + 1
  if (next.search === '') next.pathname = `${numbered?.[1] ?? next.pathname.replace(/\/$/, '')}/${page}`
  else next.searchParams.set('page', String(page))
  return next.href
}
