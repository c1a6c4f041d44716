import { type Catalogue, type CatalogueProduct, normalisedCode } from './catalogue.ts'
import { type Facet, type Language, slug, tagLanguages, tagName } from './taxonomy.ts'
import { imagePath } from './view.ts'

/** A tag, as shown on a product's page. */
export interface ProductTag {
  /** The catalogue's tag (`en:spreads`), or the slug of a brand. */
  readonly tag: string
  readonly name: string
  /** The tag in addresses: the slug of the name, or the tag if its name is in another language. */
  readonly id: string
  /** Whether the tag is part of the taxonomy. Otherwise a contributor wrote it. */
  readonly known: boolean
}

/** The filters of a list. Without filters, a list contains all products. */
export interface Query {
  /** Each entry requires one of the tags or, if `excluded`, none of them. */
  readonly tags?: readonly {
    readonly facet: Facet
    readonly ids: readonly string[]
    readonly excluded?: boolean
  }[]
  /** Barcodes, with or without leading zeros. */
  readonly codes?: readonly string[]
  /** Each term must be a prefix of a word in the name, brands, categories, labels or code. */
  readonly terms?: string
  /** Tag of a country in which the product is sold. */
  readonly country?: string | null
  readonly sortBy?: string | null
}

/** The products of a site in order, with lookup by code and filtered lists. */
export class ProductStore {
  private readonly byCode = new Map<string, CatalogueProduct>()
  /** Built on first use and discarded when a product changes. */
  private indexes = new Map<Facet, ReadonlyMap<string, readonly CatalogueProduct[]>>()
  private pictures: ReadonlyMap<string | null, CatalogueProduct> | null = null
  private changes = 0
  private searchTexts = new Map<CatalogueProduct, string>()

  constructor({ products }: Catalogue) {
    for (const product of products) this.byCode.set(keyOf(product.code), product)
  }

  readonly all = (): readonly CatalogueProduct[] => [...this.byCode.values()]

  /** The products in lists, searches and exports: food that is not obsolete. */
  readonly listed = (): readonly CatalogueProduct[] =>
    this.all().filter(product => !isObsolete(product) && otherType(product) === null)

  /** Increases with each change. */
  readonly version = (): number => this.changes

  /** @param code with or without leading zeros */
  readonly get = (code: string): CatalogueProduct | null => this.byCode.get(keyOf(code)) ?? null

  /** Replaces the product with the same code, or appends it. */
  readonly put = (product: CatalogueProduct): void => {
    this.byCode.set(keyOf(product.code), product)
    this.discardIndexes()
  }

  /** @returns whether the product existed */
  readonly remove = (code: string): boolean => {
    this.discardIndexes()
    return this.byCode.delete(keyOf(code))
  }

  readonly find = ({
    tags = [],
    codes,
    terms = '',
    country = null,
    sortBy = null,
  }: Query): readonly CatalogueProduct[] => {
    const conditions = tags.map(({ facet, ids, excluded = false }) => ({
      found: new Set(ids.flatMap(id => this.tagged(facet, id))),
      excluded,
    }))
    const prefixes = slug(terms)
      .split('-')
      .filter(word => word !== '')
      .map(word => `-${word}`)
    const selectedCodes = codes === undefined ? null : new Set(codes.map(keyOf))
    const matches = (product: CatalogueProduct): boolean =>
      (selectedCodes === null || selectedCodes.has(keyOf(product.code))) &&
      conditions.every(({ found, excluded }) => found.has(product) !== excluded) &&
      (country === null || (product.countries_tags ?? []).includes(country)) &&
      prefixes.every(prefix => this.searchText(product).includes(prefix))
    return sorted(this.listed().filter(matches), sortBy)
  }

  /** The tags of a facet with their numbers of products, the most frequent first. */
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

  /** The title of a tag's list; null if no product has the tag. */
  readonly tagName = (facet: Facet, id: string, language: Language): string | null => {
    const [product] = this.tagged(facet, id)
    if (product === undefined) return null
    const matches = (tag: ProductTag) => keysOf(tag).some(key => key === id || key === slug(id))
    const indexes = [language, ...tagLanguages].map(each => tagsOf(product, facet, each).findIndex(matches))
    const index = indexes.find(found => found >= 0)
    return tagsOf(product, facet, language)[index ?? -1]?.name ?? null
  }

  /** The product with a picture at this path. */
  readonly withPicture = (path: string): CatalogueProduct | null => {
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

  private readonly discardIndexes = (): void => {
    this.changes += 1
    this.indexes = new Map()
    this.searchTexts = new Map()
    this.pictures = null
  }
}

/** Whether the product is no longer sold. Such a product has a page but is not in lists. */
export const isObsolete = ({ obsolete }: CatalogueProduct): boolean =>
  obsolete === true || obsolete === 1 || obsolete === 'on' || obsolete === '1'

/** The type of a product of another site (`beauty`, `petfood`, `product`); null for food. */
export const otherType = ({ product_type: type }: CatalogueProduct): string | null =>
  typeof type === 'string' && type !== '' && type !== 'food' ? type : null

/** The tags of a product in the order of its page. */
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
    // If there are as many names as tags, they have the same order.
    const name = tagName(tag, language, written.length === tags.length ? written[index] : undefined)
    const isForeign = /^[a-z]{2}:/.test(name)
    return { tag, name, id: isForeign ? tag : slug(name), known: tag.startsWith('en:') && !isForeign }
  })
}

/** All ids that select a tag's list: `en:spreads`, `spreads`, `produits-a-tartiner`. */
const keysOf = ({ tag, id }: ProductTag): readonly string[] => [tag, tag.replace(/^[a-z]{2}:/, ''), id]

const keyOf = (code: string): string => normalisedCode(code) ?? code

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
    for (const language of tagLanguages)
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
