import type { Page } from 'playwright'
import { environmentalScoreGrades, normaliseCode, nutriScoreGrades } from '../../names.ts'
import { cleanText, gradeAmong, joinNames, novaGroup } from '../../product/normalise.ts'
import type { Product } from '../../product/product.ts'
import { flagged } from '../../product/quality.ts'
import { type Nutriments, nutrimentsOf, unreadLabels } from './nutrition.ts'
import { nameInTitle } from './title.ts'

/**
 * The elements of the pages of Open Food Facts (read 2026). One round trip reads all of them: one for each field would
 * take longer than the rest of the visit.
 */
const selectors = {
  language: 'html',
  canonical: 'link[rel="canonical"]',

  // Lists. `ul.products` is empty until a script fills it.
  list: 'ul.products',
  listedProducts: 'a.list_product_a',
  pagination: '#pages',
  // A typo of the site: its `rel` is `next$nofollow`.
  nextPage: '#pages a[rel^="next"]',

  // Products. The title occurs twice, as h1 and as h2.
  title: 'h1[property="food:name"]',
  // Hidden if the code has no bars.
  barcode: '#barcode',
  // Exists only if the product is no longer sold.
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
  // The panel of the ingredients contains panels of single ingredients and additives, with their own texts.
  ingredientTexts: '#panel_ingredients_content .panel_text:not(#panel_ingredients_content ul .panel_text)',
  additives: '#panel_additives_content [id^="panel_additive_"] h4',
  nutriScore: '#panel_nutriscore_2023 > li > a.panel_title',
  // The number of the group is only in the file name of its image.
  nova: '#panel_nova > li > a.panel_title img',
  environmentalScore: '#panel_environmental_score > li > a.panel_title',
  nutritionHead: '#panel_nutrition_facts_table_content thead th',
  nutritionRows: '#panel_nutrition_facts_table_content tbody tr',

  // Other pages.
  heading: 'h1',
  documentTitle: 'title',
  // The text below the heading of the site's error page.
  errorText: 'h1.if-empty-dnone ~ p',
  // A plain text response with any content type.
  plainText: 'body > pre, body:not(:has(*))',
} as const

type Place = keyof typeof selectors

/** The columns whose fill rate is watched, each with the selector that it is read with. */
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
  // This one represents all nutriments, which are in one table.
  proteins_100g: selectors.nutritionRows,
} as const satisfies Partial<Record<keyof Product, string>>
/** A column whose fill rate is watched. */
export type WatchedField = keyof typeof fieldSelectors
/** The elements that every product page has. */
export const productSelectors = [selectors.barcode, selectors.title] as const
/** The elements that every list page has. */
export const listSelectors = [selectors.list] as const

/** An element of the page: its text, the text of each child element, and its attributes. */
interface Found {
  readonly text: string
  readonly children: readonly string[]
  readonly attributes: Readonly<Record<string, string>>
}

/** The content of a page as plain data; reading it further needs no browser. */
export interface PageContent {
  /** The address after redirects. */
  readonly address: string
  readonly found: Readonly<Partial<Record<Place, readonly Found[]>>>
  /** The inline `var products` of the page; null without it. */
  readonly products: readonly { readonly code: string; readonly url: string }[] | null
}

// The types of the browser that `readInPage` uses. With the DOM types, the whole package could use `window`.
interface PageElement {
  readonly textContent: string | null
  readonly children: Iterable<PageElement>
  readonly attributes: Iterable<{ readonly name: string; readonly value: string }>
}
declare const document: { readonly querySelectorAll: (selector: string) => Iterable<PageElement> }
declare const products: unknown

/** Runs inside the page, so it cannot use anything of this file. */
const readInPage = (places: Readonly<Record<string, string>>): Omit<PageContent, 'address'> => {
  // Real texts are shorter; a hostile one must not fill the memory.
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

/** The timeout of the script that renders a list, if the page has no `var products`. */
const listRenderTimeoutMs = 3_000

/** Reads the page that `page` shows. */
export const readContent = async (page: Page): Promise<PageContent> => {
  const read = async () => ({ ...(await page.evaluate(readInPage, selectors)), address: page.url() })
  const content = await read()
  const isEmptyList = (content.found.list ?? []).length > 0 && content.products === null
  if (!isEmptyList || (content.found.listedProducts ?? []).length > 0) return content
  return page
    .waitForSelector(selectors.listedProducts, { state: 'attached', timeout: listRenderTimeoutMs })
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

  /** Whether the list was rendered; it may be empty. */
  readonly isRendered = (): boolean => this.content.products !== null || this.renderedProducts().length > 0

  /** The products of this page, each once, in their order. Entries without a barcode are left out. */
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

  /** The normalised barcode; null without a valid one. */
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

  /** Without additives the page has no panel of them; without ingredients too their number is unknown. */
  readonly additivesCount = () => {
    const count = this.texts('additives').length
    return count === 0 && this.ingredients() === null ? null : count
  }

  /** The canonical address of the page. */
  readonly address = () =>
    resolve(this.attribute('canonical', 'href'), this.content.address) ?? this.content.address

  readonly nutriments = (): Nutriments => nutrimentsOf(this.nutritionTable(), this.lang() ?? 'en')

  /** The labels of the nutrition table if none of them is known although rows have amounts; otherwise empty. */
  readonly unreadLabels = (): readonly string[] => unreadLabels(this.nutritionTable(), this.lang() ?? 'en')

  /**
   * The record of the product; null without a valid barcode. A page contains neither the revision nor the time of the
   * last modification, so the record describes the moment of the visit.
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

  private readonly nutritionTable = () => ({
    head: this.texts('nutritionHead'),
    rows: (this.content.found.nutritionRows ?? []).map(({ children }) => children),
  })

  private readonly texts = (place: Place) => (this.content.found[place] ?? []).map(({ text }) => text)
  private readonly text = (place: Place) => cleanText(this.texts(place)[0])
  private readonly attribute = (place: Place, name: string) =>
    this.content.found[place]?.[0]?.attributes[name] ?? null

  /** The names of a list: its links, or without links its text, split at commas. */
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

  /** The texts of the panel of the ingredients, each split from the bold label before it. */
  private readonly ingredientTexts = (): readonly { readonly label: string; readonly text: string }[] =>
    (this.content.found.ingredientTexts ?? []).map(({ text, children }) => {
      const first = children[0] ?? ''
      const isLabel = /[:：]\s*$/.test(first) && text.trimStart().startsWith(first.trimStart())
      return isLabel
        ? { label: first.trim(), text: text.trimStart().slice(first.trimStart().length) }
        : { label: '', text }
    })
}

// A label may also name the language of the ingredients.
const isAllergens = (label: string): boolean => /^all?[eé]rg/i.test(label)
const isAllergensOrTraces = (label: string): boolean =>
  isAllergens(label) || /^tra[cz]|^spuren|^sporen/i.test(label)

/** The barcode in the address of a product page (`/product/<code>/<slug>`, `/produit/…`); null for other addresses. */
export const codeInAddress = (address: string): string | null =>
  /^(?:https?:)?(?:\/\/[^/]+)?\/[^/]+\/(\d{4,24})(?:\/[^/]*)?$/.exec(address.replace(/[?#].*$/s, ''))?.[1] ??
  null

/** The same barcode, normalised. */
export const codeOfAddress = (address: string): string | null => normaliseCode(codeInAddress(address) ?? '')

const resolve = (written: string | null | undefined, base: string): string | null =>
  written !== null && written !== undefined && URL.canParse(written, base)
    ? new URL(written, base).href
    : null

// A shorter page is the last, so no request for another one is needed.
const pageSize = (address: string): number => Number(new URL(address).searchParams.get('page_size')) || 50

/** The next page of a list with a query is `?page=N`, of others `/N`. */
const followingAddress = (address: string): string => {
  const next = new URL(address)
  const numbered = /^(.*)\/(\d+)$/.exec(next.pathname)
  const page = Number(next.searchParams.get('page') ?? numbered?.[2] ?? 1) + 1
  if (next.search === '') next.pathname = `${numbered?.[1] ?? next.pathname.replace(/\/$/, '')}/${page}`
  else next.searchParams.set('page', String(page))
  return next.href
}
