import type { CatalogueProduct } from './catalogue.ts'
import { type Language, slug } from './taxonomy.ts'
import { words } from './words.ts'

/** How one visitor sees the site: what its address says of language and country. */
export interface View {
  /** Host and port by which the site was called. */
  readonly host: string
  readonly language: Language
  /** Tag of the country to which lists are narrowed; null shows the world. */
  readonly country: string | null
}

/**
 * Reads a `Host` as the real site does: `fr.…` is France in French, `world.…` everything in English, `world-fr.…` and
 * `fr-en.…` name country and language. A bare address (`127.0.0.1:8080`, `localhost`) shows everything, in `language`.
 */
export const viewOf = (host: string, language: Language): View => {
  const [, area, spoken] = /^(fr|world)(?:-(fr|en))?\.[^.]/.exec(host) ?? []
  if (area === undefined) return { host, language, country: null }
  return {
    host,
    language: spoken === 'fr' || spoken === 'en' ? spoken : area === 'fr' ? 'fr' : 'en',
    country: area === 'fr' ? 'en:france' : null,
  }
}

/**
 * Name, first brand and quantity joined by ` - `, each left out where the words before it hold it already.
 * @see the server's `product_name_brand_quantity`, lib/ProductOpener/Products.pm
 */
export const displayName = (product: CatalogueProduct): string => {
  const { product_name, generic_name, brands, quantity } = product
  const holds = (text: string, part: string) => `-${slug(text)}-`.includes(`-${slug(part)}-`)
  const name = product_name || generic_name || ''
  const brand = brands?.replace(/,.*/s, '')
  const named = brand === undefined || holds(name, brand) ? name : `${name} - ${brand}`
  const begun = named.replace(/^ - /, '')
  if (!quantity || holds(begun, quantity)) return begun
  // A no-break space keeps amount and unit together.
  return `${begun} - ${quantity.replace(/(\d) (\w)/g, '$1\u00a0$2')}`.replace(/^ - /, '')
}

/** The path under which a product is filed: `/produit/<code>/<name and brand>`. */
export const productPath = (product: CatalogueProduct, { language }: View): string => {
  const { code, product_name, generic_name, brands } = product
  const name = product_name || generic_name || ''
  const brand = brands?.replace(/,.*/s, '') ?? ''
  const id = slug(`-${slug(name)}-`.includes(`-${slug(brand)}-`) ? name : `${name} ${brand}`)
  return `/${words[language].productPath}/${code}${id === '' ? '' : `/${encodeURIComponent(id)}`}`
}

/** Where a picture of the catalogue is found here: at its own path, on this host; null where there is none. */
export const imagePath = (address: string | null | undefined): string | null =>
  address != null && URL.canParse(address) ? new URL(address).pathname : null
