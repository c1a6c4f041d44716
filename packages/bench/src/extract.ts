/** The fields of a product that every contender prints. */
export interface Extract {
  readonly code: string
  readonly name: string | null
  readonly grade: string | null
  readonly nova: number | null
  readonly brands: string | null
}

// The code for the page needs few DOM types. TypeScript's DOM library would allow `window` in the whole package.
interface PageElement {
  readonly textContent: string | null
  readonly className: string
  readonly getAttribute: (name: string) => string | null
}
declare const document: { readonly querySelector: (selector: string) => PageElement | null }

/**
 * Extracts the product from a page with one evaluation, as an experienced author would do. It runs in the browser, so it
 * cannot use anything else in this file.
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
