import { slug } from '../../product/slug.ts'

/** What a product page shows of the parts that its title is joined from, each as `cleanText` leaves it. */
export interface TitleParts {
  readonly title: string | null
  /** The first of the page's brands. */
  readonly brand: string | null
  readonly quantity: string | null
}

const separator = ' - '

/**
 * The product's name, taken back out of the page's title, which nowhere stands alone.
 *
 * The site joins name, first brand and quantity with ` - `, and leaves brand or quantity out where the words before
 * it already hold their words (openfoodfacts-server, lib/ProductOpener/Products.pm, `product_name_brand_quantity`).
 * So a part is cut off at the end only if the site would have put it there.
 *
 * What a title can't tell, and what is answered: a title that is just the brand may be a product called like its
 * brand or one without a name; unknown (null) claims less. A name that itself ends in its quantity after a dash loses
 * it. A product without a name but with a generic name is shown under that, and gets it as its name.
 */
export const nameInTitle = ({ title, brand, quantity }: TitleParts): string | null => {
  const withoutQuantity = withoutPart(title ?? '', quantity)
  const name = withoutPart(withoutQuantity, brand)
  // An empty brand is joined too: `Doughnuts - `.
  const withoutDash = brand === null ? name.replace(/( -)+$/, '') : name
  return withoutDash === '' ? null : withoutDash
}

const withoutPart = (title: string, part: string | null): string => {
  if (part === null) return title
  if (title === part) return ''
  const ending = separator + part
  if (!title.endsWith(ending)) return title
  const before = title.slice(0, -ending.length)
  return holds(before, part) ? title : before
}

const holds = (text: string, part: string): boolean => `-${slug(text)}-`.includes(`-${slug(part)}-`)
