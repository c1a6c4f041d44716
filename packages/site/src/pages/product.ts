import type { CatalogueProduct } from '../catalogue.ts'
import { type Html, html } from '../html.ts'
import { isObsolete, type ProductTag, tagsOf } from '../productStore.ts'
import { additiveName, type Facet, tagName } from '../taxonomy.ts'
import { translations, type Words } from '../translations.ts'
import { displayName, imagePath, productPath, type View } from '../view.ts'
import { type Attribute, environmentalScore, nova, nutriScore } from './grades.ts'
import { layout } from './layout.ts'
import { nutritionTable } from './nutrition.ts'

/** The page of a product. Missing fields are omitted, as on the real site. */
export const productPage = (product: CatalogueProduct, view: View): string => {
  const title = displayName(product)
  const path = productPath(product, view)
  const say = translations[view.language]
  const content = html`
<div itemscope itemtype="//schema.org/Product" class="main-product" id="main-product">
<div id="prodHead"><h1 class="title-3" property="food:name" itemprop="name">${title}</h1></div>
<div id="prodInfos">
<section id="product">
  <h2 class="title-1" property="food:name" itemprop="name">${title}</h2>
  ${isObsolete(product) ? html`<div data-alert class="alert-box warn" id="obsolete">${say.obsolete}</div>` : null}
  <div id="barcode_div"><p id="barcode_paragraph">${say.barcode}${say.separator}<span id="barcode" property="food:code" itemprop="gtin13">${product.code}</span></p></div>
  ${picture(product, view, title)}
  ${field('generic_name', product.generic_name, say)}
  ${field('quantity', product.quantity, say)}
  ${tagsField('brands', product, view)}
  ${tagsField('categories', product, view)}
  ${tagsField('labels', product, view)}
  ${tagsField('countries', product, view)}
</section>
<section id="health">
  <h2>${say.health}</h2>
  ${gradePanel(nutriScore(product, view))}
  ${panel('nutrition_facts_table', { title: say.nutritionFacts, content: nutritionTable(product, view) })}
  ${ingredientsPanel(product, view)}
  <h3>${say.processing}</h3>
  ${panel('nova', novaTitle(nova(product, view)))}
</section>
${environmentSection(product, view)}
</div>
</div>`
  return layout({ title, view, canonical: path, about: path, bodyClass: 'product_page', content })
}

const picture = (product: CatalogueProduct, view: View, title: string): Html | null => {
  const path = imagePath(product.image_url)
  return path === null
    ? null
    : html`<img id="og_image" itemprop="image" src="//${view.host}${path}" alt="${title}" width="200">`
}

const field = (
  name: keyof Words['fields'],
  value: string | Html | null | undefined,
  say: Words,
): Html | null =>
  value === null || value === undefined || value === ''
    ? null
    : html`<p id="field_${name}"><span class="field">${say.fields[name]}${say.separator}</span><span class="field_value" id="field_${name}_value">${value}</span></p>`

const tagsField = (facet: Facet, product: CatalogueProduct, view: View): Html | null => {
  const say = translations[view.language]
  const links = tagsOf(product, facet, view.language).map(tag => tagLink(facet, tag, say))
  const joined = links.map((link, index) => (index === 0 ? link : html`, ${link}`))
  return field(facet, links.length === 0 ? null : html`${joined}`, say)
}

const tagLink = (facet: Facet, { id, name, known }: ProductTag, say: Words): Html => {
  const property = facet === 'brands' ? html`itemprop="brand" ` : null
  const address = `/facets/${say.facets[facet].plural}/${encodeURIComponent(id)}`
  return html`<a ${property}href="${address}" class="tag ${known ? 'well_known' : 'user_defined'}">${name}</a>`
}

interface Panel {
  readonly title: string
  readonly grade?: string
  readonly icon?: string
  readonly content?: Html
}

/** A panel of the product page: `ul#panel_<id>`, with the title in `li > a.panel_title` and the rest in `…_content`. */
const panel = (id: string, { title, grade, icon, content }: Panel): Html => {
  const name = grade === undefined ? '' : ` grade_${grade.replaceAll('-', '_')}`
  return html`
<ul data-accordion class="panel_accordion accordion" id="panel_${id}"><li class="accordion-navigation">
  <a href="#panel_${id}_content" class="panel_title${name}">${icon === undefined ? null : html`<img src="${icon}" alt="icon" height="72">`}<h4>${title}</h4></a>
  <div id="panel_${id}_content" class="content panel_content">${content}</div>
</li></ul>`
}

const gradePanel = ({ panel_id, grade, icon_url, title }: Attribute): Html =>
  panel(panel_id, { title, grade, icon: icon_url })

// Only the picture's name contains the group's number.
const novaTitle = ({ title, icon_url }: Attribute): Panel => ({ title, icon: icon_url })

/** Products without any grade have no such section. */
const environmentSection = (product: CatalogueProduct, view: View): Html | null =>
  product.environmental_score_grade
    ? html`<section id="environment"><h2>${translations[view.language].environment}</h2>${gradePanel(environmentalScore(product, view))}</section>`
    : null

const ingredientsPanel = (product: CatalogueProduct, view: View): Html | null => {
  const say = translations[view.language]
  const text = product.ingredients_text
  const names = (tags: readonly string[] | null | undefined) =>
    (tags ?? []).map(tag => tagName(tag, view.language)).join(', ')
  const [allergens, traces] = [names(product.allergens_tags), names(product.traces_tags)]
  const additives = (product.additives_tags ?? []).map(tag =>
    panel(`additive_${tag}`, { title: additiveName(tag, view.language) }),
  )
  if (!text && allergens === '' && traces === '' && additives.length === 0) return null
  const content = html`
${text ? html`<div class="panel_text">${text}</div>` : null}
${allergens === '' ? null : html`<div class="panel_text"><strong>${say.allergens}</strong> ${allergens}</div>`}
${traces === '' ? null : html`<div class="panel_text"><strong>${say.traces}</strong> ${traces}</div>`}
${additives.length === 0 ? null : panel('additives', { title: say.additives, content: html`${additives}` })}`
  const count = text ? text.split(',').length : 0
  return panel('ingredients', { title: say.ingredients(count), content })
}
