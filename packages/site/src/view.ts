import type { CatalogueProduct } from './catalogue.ts'
import { type Language, languages, slug } from './taxonomy.ts'
import { translations } from './translations.ts'

/** The language and country of a request, which its host selects. */
export interface View {
  /** The requested host and port. */
  readonly host: string
  readonly language: Language
  /** Tag of the country by which lists are filtered; null shows all products. */
  readonly country: string | null
}

/**
 * Parses a `Host` header as the real site does: `fr.…` is France in French, `world.…` all products in English, `world-fr.…`
 * and `fr-en.…` name country and language. Any other host (`127.0.0.1:8080`, `localhost`) shows all products in `language`.
 */
export const viewOf = (host: string, language: Language): View => {
  const [, area, code] = /^(fr|world)(?:-([a-z]{2}))?\.[^.]/.exec(host) ?? []
  const spoken = languages.find(each => each === code)
  if (area === undefined) return { host, language, country: null }
  return {
    host,
    language: spoken ?? (area === 'fr' ? 'fr' : 'en'),
    country: area === 'fr' ? 'en:france' : null,
  }
}

/**
 * Name, first brand and quantity, joined by ` - `. Brand and quantity are omitted if the text before contains them.
 * @see the server's `product_name_brand_quantity`, lib/ProductOpener/Products.pm
 */
export const displayName = (product: CatalogueProduct): string => {
  const { product_name, generic_name, brands, quantity } = product
  const includesPart = (text: string, part: string) => `-${slug(text)}-`.includes(`-${slug(part)}-`)
  const name = product_name || generic_name || ''
  const brand = brands?.replace(/,.*/s, '')
  const withBrand = brand === undefined || includesPart(name, brand) ? name : `${name} - ${brand}`
  const start = withBrand.replace(/^ - /, '')
  if (!quantity || includesPart(start, quantity)) return start
  // A no-break space keeps amount and unit on one line.
  return `${start} - ${quantity.replace(/(\d) (\w)/g, '$1\u00a0$2')}`.replace(/^ - /, '')
}

/** The canonical path of a product: `/produit/<code>/<name and brand>`. */
export const productPath = (product: CatalogueProduct, { language }: View): string => {
  const { code, product_name, generic_name, brands } = product
  const name = product_name || generic_name || ''
  const brand = brands?.replace(/,.*/s, '') ?? ''
  const id = slug(`-${slug(name)}-`.includes(`-${slug(brand)}-`) ? name : `${name} ${brand}`)
  return `/${translations[language].productPath}/${code}${id === '' ? '' : `/${encodeURIComponent(id)}`}`
}

/** The path of a picture on this site, which is the path of its URL; null if the product has no picture. */
export const imagePath = (address: string | null | undefined): string | null =>
  address != null && URL.canParse(address) ? new URL(address).pathname : null
