import { html } from './html.ts'

/** A small static file. */
export interface Asset {
  readonly type: string
  readonly body: string
}

const svg = 'image/svg+xml; charset=utf-8'

/**
 * Renders a list from `var products`, as the real site's script does: one `a.list_product_a` per product. Values are set as
 * text, not as markup.
 */
export const listScript: Asset = {
  type: 'text/javascript; charset=utf-8',
  body: `'use strict'
function rank_and_display_products(target, products) {
  const list = document.querySelector(target + ' ul.products')
  list.replaceChildren(...products.map(product => {
    const link = document.createElement('a')
    link.className = 'list_product_a'
    link.href = product.url
    link.title = product.product_display_name
    const name = document.createElement('div')
    name.className = 'list_product_name'
    name.textContent = product.product_display_name || product.code
    const image = document.createElement('img')
    image.className = 'list_product_img'
    image.loading = 'lazy'
    image.alt = ''
    if (product.image_front_small_url) image.src = product.image_front_small_url
    const icons = product.attribute_groups.flatMap(group => group.attributes).map(attribute => {
      const icon = document.createElement('img')
      icon.className = 'list_product_icon'
      icon.loading = 'lazy'
      icon.src = attribute.icon_url
      icon.alt = icon.title = attribute.title
      return icon
    })
    link.append(image, name, ...icons)
    const item = document.createElement('li')
    item.append(link)
    return item
  }))
}
rank_and_display_products('#search_results', products)
`,
}

export const styleSheet: Asset = {
  type: 'text/css; charset=utf-8',
  body: `body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 0 1rem; color: #222 }
header, footer { display: flex; flex-wrap: wrap; gap: 1rem; justify-content: space-between; padding: .5rem 0 }
footer { font-size: .8rem; color: #555; border-top: 1px solid #ccc; margin-top: 2rem }
ul.products { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem; list-style: none; padding: 0 }
.list_product_a { display: block; padding: .5rem; border: 1px solid #ddd; border-radius: .5rem; color: inherit; text-decoration: none }
.list_product_img { display: block; height: 6rem; margin: 0 auto }
.list_product_icon { height: 1.5rem; margin-right: .25rem }
.pagination { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; padding: 0 }
.panel_accordion { list-style: none; padding: .5rem; border: 1px solid #ddd; border-radius: .5rem }
.panel_title { color: inherit; text-decoration: none } .panel_title h4 { display: inline }
table { border-collapse: collapse } th, td { padding: .2rem .8rem; border: 1px solid #ddd; text-align: left }
`,
}

export const favicon: Asset = {
  type: svg,
  body: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="#2a7"/></svg>',
}

/** The picture of a product: a tile with its code, in a colour derived from the code. */
export const productPicture = (code: string): Asset => ({
  type: svg,
  body: html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400"><rect width="400" height="400" fill="hsl(${Number(code.slice(-5)) % 360} 45% 75%)"/><text x="200" y="210" font-family="sans-serif" font-size="32" text-anchor="middle">${code}</text></svg>`
    .text,
})

/** The badge of a grade by its file name on the real site (`nova-group-4`, `nutriscore-d-new-fr`); null for other names. */
export const badge = (name: string): Asset | null => {
  const [, group, score, green] =
    /^(?:nova-group-([1-4]|unknown)|nutriscore-([a-z-]+?)-new-(?:fr|en)|green-score-([a-z-]+))$/.exec(name) ??
    []
  const grade = group ?? score ?? green
  if (grade === undefined) return null
  const colour = colours[grade] ?? '#999'
  const sign = { 'a-plus': 'A+', unknown: '?', 'not-applicable': '–' }[grade] ?? grade.toUpperCase()
  return {
    type: svg,
    body: html`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 72 72" width="72" height="72"><rect width="72" height="72" rx="12" fill="${colour}"/><text x="36" y="49" font-family="sans-serif" font-size="36" text-anchor="middle" fill="#fff">${sign}</text></svg>`
      .text,
  }
}

const colours: Readonly<Record<string, string>> = {
  'a-plus': '#0a6b3d',
  a: '#1d8348',
  b: '#6a9a1f',
  c: '#c79a00',
  d: '#d9730d',
  e: '#c0392b',
  f: '#8e2a20',
  1: '#1d8348',
  2: '#c79a00',
  3: '#d9730d',
  4: '#c0392b',
}
