import { slug } from '../../product/slug.ts'

/** The title of a product page and the parts that it may contain, each cleaned by `cleanText`. */
export interface TitleParts {
  readonly title: string | null
  /** The first of the page's brands. */
  readonly brand: string | null
  readonly quantity: string | null
}

const separator = ' - '

/**
 * The name of a product, extracted from the title of its page; the page shows it nowhere else.
 *
 * The site joins name, first brand and quantity with ` - `, and omits brand or quantity if the text before already
 * contains its words (openfoodfacts-server, lib/ProductOpener/Products.pm, `product_name_brand_quantity`). Therefore a
 * part is removed from the end only if the site would have added it.
 *
 * Ambiguous titles: a title that equals the brand gives null, because the product may have no name. A name that itself
 * ends with a dash and the quantity loses them. A product without a name but with a generic name gets that as its name.
 */
export const nameInTitle = ({ title, brand, quantity }: TitleParts): string | null => {
  const withoutQuantity = withoutPart(title ?? '', quantity)
  const name = withoutPart(withoutQuantity, brand)
  // The site also appends an empty brand: `Doughnuts - `.
  const withoutDash = brand === null ? name.replace(/( -)+$/, '') : name
  return withoutDash === '' ? null : withoutDash
}

const withoutPart = (title: string, part: string | null): string => {
  if (part === null) return title
  if (title === part) return ''
  const ending = separator + part
  if (!title.endsWith(ending)) return title
  const before = title.slice(0, -ending.length)
  return contains(before, part) ? title : before
}

const contains = (text: string, part: string): boolean => `-${slug(text)}-`.includes(`-${slug(part)}-`)
