import { type Html, html } from '../html.ts'
import type { View } from '../view.ts'
import { words } from '../words.ts'
import { layout } from './layout.ts'

/** The page for a barcode that no product has; it comes with status 404. */
export const noSuchProductPage = (view: View, code: string): string =>
  errorPage(view, html`<p>${words[view.language].noSuchProduct(code)}</p>`)

/** The page for any other address that leads nowhere. */
export const noSuchPage = (view: View): string =>
  errorPage(view, html`<p>${words[view.language].noSuchPage}</p>`)

const errorPage = (view: View, text: Html): string =>
  layout({
    title: words[view.language].error,
    view,
    bodyClass: 'error_page',
    content: html`<h1 class="if-empty-dnone">${words[view.language].error}</h1>\n${text}`,
  })
