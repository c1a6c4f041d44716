import { type Catalogue, type CatalogueProduct, filedCode } from './catalogue.ts'
import { type Facet, type Language, languages, slug, tagName } from './taxonomy.ts'
import { imagePath } from './view.ts'

/** A tag of a product as its page shows it. */
export interface ProductTag {
  /** As the catalogue has it: `en:spreads`; for a brand, its name made an id. */
  readonly tag: string
  readonly name: string
  /** As an address has it: the name's id, or the tag where the name is of another language. */
  readonly id: string
  /** Whether the taxonomy has it; else a contributor wrote it. */
  readonly known: boolean
}

/** What a list is narrowed to; nothing narrows it to everything. */
export interface Query {
  /** Each asks that a product has one of the tags, or, where they are excluded, none of them. */
  readonly tags?: readonly {
    readonly facet: Facet
    readonly ids: readonly string[]
    readonly excluded?: boolean
  }[]
  /** Barcodes, in any form. */
  readonly codes?: readonly string[]
  /** Words that must all begin a word of the product's name, brands, categories or labels, or its code. */
  readonly terms?: string
  /** Tag of the country it is sold in. */
  readonly country?: string | null
  readonly sortBy?: string | null
}

/** The products of a site, by code and in order, with the lists that can be asked for. */
export class Shelf {
  private readonly byCode = new Map<string, CatalogueProduct>()
  /** Made when they are first asked for, and thrown away when a product changes. */
  private indexes = new Map<Facet, ReadonlyMap<string, readonly CatalogueProduct[]>>()
  private pictures: ReadonlyMap<string | null, CatalogueProduct> | null = null
  private changes = 0
  private searchTexts = new Map<CatalogueProduct, string>()

  constructor({ products }: Catalogue) {
    for (const product of products) this.byCode.set(keyOf(product.code), product)
  }

  readonly all = (): readonly CatalogueProduct[] => [...this.byCode.values()]

  /** Those that lists, searches and exports show: food, and not taken off the market. */
  readonly listed = (): readonly CatalogueProduct[] =>
    this.all().filter(product => !isObsolete(product) && otherType(product) === null)

  /** Rises with each change. */
  readonly version = (): number => this.changes

  /** @param code in any form: with or without leading zeros */
  readonly get = (code: string): CatalogueProduct | null => this.byCode.get(keyOf(code)) ?? null

  /** Puts a product in the place of the one of the same code, or at the end. */
  readonly put = (product: CatalogueProduct): void => {
    this.byCode.set(keyOf(product.code), product)
    this.forget()
  }

  /** @returns whether there was one */
  readonly remove = (code: string): boolean => {
    this.forget()
    return this.byCode.delete(keyOf(code))
  }

  readonly find = ({
    tags = [],
    codes,
    terms = '',
    country = null,
    sortBy = null,
  }: Query): readonly CatalogueProduct[] => {
    const wanted = tags.map(({ facet, ids, excluded = false }) => ({
      found: new Set(ids.flatMap(id => this.tagged(facet, id))),
      excluded,
    }))
    const prefixes = slug(terms)
      .split('-')
      .filter(word => word !== '')
      .map(word => `-${word}`)
    const wantedCodes = codes === undefined ? null : new Set(codes.map(keyOf))
    const matches = (product: CatalogueProduct): boolean =>
      (wantedCodes === null || wantedCodes.has(keyOf(product.code))) &&
      wanted.every(({ found, excluded }) => found.has(product) !== excluded) &&
      (country === null || (product.countries_tags ?? []).includes(country)) &&
      prefixes.every(prefix => this.searchText(product).includes(prefix))
    return sorted(this.listed().filter(matches), sortBy)
  }

  /** Every tag of a facet, with how many products have it, the most frequent first. */
  readonly tags = (
    facet: Facet,
    language: Language,
  ): readonly (ProductTag & { readonly count: number })[] => {
    const counted = new Map<string, ProductTag & { readonly count: number }>()
    for (const product of this.listed())
      for (const tag of tagsOf(product, facet, language))
        counted.set(tag.id, { ...tag, count: (counted.get(tag.id)?.count ?? 0) + 1 })
    return [...counted.values()].sort((one, other) => other.count - one.count)
  }

  /** The name of a facet's tag as its list is headed; null where no product has it. */
  readonly tagName = (facet: Facet, id: string, language: Language): string | null => {
    const [product] = this.tagged(facet, id)
    if (product === undefined) return null
    const isAsked = (tag: ProductTag) => keysOf(tag).some(key => key === id || key === slug(id))
    const spoken = [language, ...languages].map(each => tagsOf(product, facet, each).findIndex(isAsked))
    const index = spoken.find(found => found >= 0)
    return tagsOf(product, facet, language)[index ?? -1]?.name ?? null
  }

  /** The product of which `path` is a picture. */
  readonly pictured = (path: string): CatalogueProduct | null => {
    this.pictures ??= new Map(
      this.all().flatMap(product =>
        [product.image_url, product.image_small_url].map(address => [imagePath(address), product] as const),
      ),
    )
    return this.pictures.get(path) ?? null
  }

  private readonly tagged = (facet: Facet, id: string): readonly CatalogueProduct[] => {
    const index = this.indexes.get(facet) ?? indexOf(this.listed(), facet)
    this.indexes.set(facet, index)
    return index.get(id) ?? index.get(slug(id)) ?? []
  }

  private readonly searchText = (product: CatalogueProduct): string => {
    const { code, product_name, generic_name, brands, categories, labels } = product
    const text =
      this.searchTexts.get(product) ??
      `-${slug([code, product_name, generic_name, brands, categories, labels].join(' '))}`
    this.searchTexts.set(product, text)
    return text
  }

  private readonly forget = (): void => {
    this.changes += 1
    this.indexes = new Map()
    this.searchTexts = new Map()
    this.pictures = null
  }
}

/** Whether it was taken off the market: such a product has its page, but is in no list. */
export const isObsolete = ({ obsolete }: CatalogueProduct): boolean =>
  obsolete === true || obsolete === 1 || obsolete === 'on' || obsolete === '1'

/** What a product is, if it is no food (`beauty`, `petfood`, `product`): it belongs to another site. */
export const otherType = ({ product_type: type }: CatalogueProduct): string | null =>
  typeof type === 'string' && type !== '' && type !== 'food' ? type : null

/** The tags of a product in the order in which its page names them. */
export const tagsOf = (
  product: CatalogueProduct,
  facet: Facet,
  language: Language,
): readonly ProductTag[] => {
  if (facet === 'brands')
    return namesIn(product.brands).map(name => ({ tag: slug(name), name, id: slug(name), known: false }))
  const tags = product[`${facet}_tags`] ?? []
  const written = facet === 'countries' ? [] : namesIn(product[facet])
  return tags.map((tag, index) => {
    // Names and tags tell the same things in the same order, if they are as many.
    const name = tagName(tag, language, written.length === tags.length ? written[index] : undefined)
    const isForeign = /^[a-z]{2}:/.test(name)
    return { tag, name, id: isForeign ? tag : slug(name), known: tag.startsWith('en:') && !isForeign }
  })
}

/** All by which a list can be asked for: `en:spreads`, `spreads`, `produits-a-tartiner`. */
const keysOf = ({ tag, id }: ProductTag): readonly string[] => [tag, tag.replace(/^[a-z]{2}:/, ''), id]

const keyOf = (code: string): string => filedCode(code) ?? code

const namesIn = (list: string | null | undefined): readonly string[] =>
  (list ?? '')
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '')

const indexOf = (
  products: readonly CatalogueProduct[],
  facet: Facet,
): ReadonlyMap<string, readonly CatalogueProduct[]> => {
  const index = new Map<string, Set<CatalogueProduct>>()
  for (const product of products)
    for (const language of languages)
      for (const tag of tagsOf(product, facet, language))
        for (const key of keysOf(tag)) index.set(key, (index.get(key) ?? new Set()).add(product))
  return new Map([...index].map(([key, found]) => [key, [...found]]))
}

const sorted = (
  products: readonly CatalogueProduct[],
  sortBy: string | null,
): readonly CatalogueProduct[] => {
  if (sortBy === 'product_name')
    return products.toSorted((one, other) => (one.product_name ?? '').localeCompare(other.product_name ?? ''))
  if (sortBy !== 'created_t' && sortBy !== 'last_modified_t') return products
  return products.toSorted((one, other) => (other[sortBy] ?? 0) - (one[sortBy] ?? 0))
}
