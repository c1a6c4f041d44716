/** What every contender tells of a product. */
export interface Extract {
  readonly code: string
  readonly name: string | null
  readonly grade: string | null
  readonly nova: number | null
  readonly brands: string | null
}

// What runs inside the page uses of the browser's world; the DOM's types would let the whole package name `window`.
interface PageElement {
  readonly textContent: string | null
  readonly className: string
  readonly getAttribute: (name: string) => string | null
}
declare const document: { readonly querySelector: (selector: string) => PageElement | null }

/**
 * The product of a page, by one look into it, as a practised author of such a script would take it. Runs inside the
 * page, so it can use nothing from this file.
 */
export const extractInPage = (): Extract => {
  const text = (selector: string) => document.querySelector(selector)?.textContent?.trim() ?? null
  const brands = text('#field_brands_value')
  const name = text('h1[property="food:name"]')?.split(' - ')[0] ?? null
  const grade = document.querySelector('#panel_nutriscore_2023 a.panel_title')?.className ?? ''
  const nova = document.querySelector('#panel_nova a.panel_title img')?.getAttribute('src') ?? ''
  return {
    code: text('#barcode') ?? '',
    name: name === brands ? null : name,
    grade: /grade_([a-e])(?:\s|$)/.exec(grade)?.[1] ?? null,
    nova: Number(/nova-group-(\d)/.exec(nova)?.[1] ?? 0) || null,
    brands,
  }
}
