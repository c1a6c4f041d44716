import type { CatalogueProduct } from '../catalogue.ts'
import { type Html, html, script } from '../html.ts'
import type { ProductTag } from '../productStore.ts'
import type { Facet } from '../taxonomy.ts'
import { translations } from '../translations.ts'
import { displayName, imagePath, productPath, type View } from '../view.ts'
import { environmentalScore, nova, nutriScore } from './grades.ts'
import { layout } from './layout.ts'

export interface ListPageParts {
  readonly view: View
  readonly title: string
  /** Path of the first page. */
  readonly path: string
  readonly products: readonly CatalogueProduct[]
  /** The number of products on all pages. */
  readonly count: number
  /** The page number, from 1. */
  readonly page: number
  readonly pageSize: number
  /** The address of a page of this list. */
  readonly addressOf: (page: number) => string
  /** The tag of the list, if any. */
  readonly tag?: { readonly facet: Facet; readonly name: string }
}

/**
 * A list of products as on the real site: an empty `ul.products`, the products in an inline `var products`, and a script
 * that renders them.
 */
export const listPage = (parts: ListPageParts): string => {
  const { view, title, path, products, count, tag } = parts
  const say = translations[view.language]
  const content = html`
<h1 itemprop="name">${title}</h1>
${tag === undefined ? null : tagNavigation(view, tag.facet, tag.name, path)}
<span class="filterProducts__results">${say.products(count)}</span>
<div id="search_results">
  <ul class="products"></ul>
</div>
${pagination(parts)}
<script>
var page_type = "products";
var products = ${script(products.map(product => listed(product, view)))};
</script>
<script src="/js/dist/product-search.js"></script>`
  return layout({ title, view, canonical: path, content })
}

/** The tags of a facet with links to their lists. */
export const tagsPage = (
  view: View,
  facet: Facet,
  tags: readonly (ProductTag & { readonly count: number })[],
): string => {
  const { plural, name } = translations[view.language].facets[facet]
  const rows = tags.map(
    ({ id, name: tag, count, known }) =>
      html`<tr><td><a href="/facets/${plural}/${encodeURIComponent(id)}" class="tag ${known ? 'known' : 'user_defined'}">${tag}</a></td><td>${count}</td></tr>\n`,
  )
  const content = html`
<h1 itemprop="name">${name}</h1>
<table id="tagstable"><tbody>
${rows}</tbody></table>`
  return layout({ title: name, view, canonical: `/facets/${plural}`, content })
}

const tagNavigation = (view: View, facet: Facet, name: string, path: string): Html => {
  const { plural, name: facetName } = translations[view.language].facets[facet]
  return html`<div class="tag"><div class="tag_navigation"><a href="/facets/${plural}">${facetName}</a>${translations[view.language].separator}<a href="${path}">${name}</a></div></div>`
}

const listed = (product: CatalogueProduct, view: View) => ({
  attribute_groups: [
    { id: 'nutritional_quality', attributes: [nutriScore(product, view)] },
    { id: 'processing', attributes: [nova(product, view)] },
    { id: 'environment', attributes: [environmentalScore(product, view)] },
  ],
  code: product.code,
  image_front_small_url: imagePath(product.image_small_url),
  product_display_name: displayName(product),
  url: `//${view.host}${productPath(product, view)}`,
})

/** Shown only if the list has more than one page. */
const pagination = ({ view, count, page, pageSize, addressOf }: ListPageParts): Html | null => {
  const last = Math.ceil(count / pageSize)
  if (last <= 1) return null
  const say = translations[view.language]
  const entries = shownPages(page, last).map((number, index, shown) => {
    const gap = number - (shown[index - 1] ?? 0) > 1 ? html`<li class="unavailable">…</li>` : null
    const current = number === page
    const link = html`<a href="${current ? '' : addressOf(number)}">${number}</a>`
    return html`${gap}<li${current ? html` class="current"` : null}>${link}</li>`
  })
  // The `$` is a mistake of the real site. Scrapers rely on it.
  const next =
    page < last ? html`<li><a href="${addressOf(page + 1)}" rel="next$nofollow">${say.next}</a></li>` : null
  const previous =
    page > 1 ? html`<li><a href="${addressOf(page - 1)}" rel="prev$nofollow">${say.previous}</a></li>` : null
  return html`<ul id="pages" class="pagination"><li class="unavailable">${say.pages}</li>${previous}${entries}${next}<li class="unavailable">${say.perPage(pageSize)}</li></ul>`
}

/** The first and last pages, and those near `page`. */
const shownPages = (page: number, last: number): readonly number[] => {
  const near = [page - 2, page - 1, page, page + 1, page + 2]
  const numbers = new Set([1, 2, ...near, last - 1, last].filter(number => number >= 1 && number <= last))
  return [...numbers].sort((one, other) => one - other)
}
