import { type Html, html } from '../html.ts'
import { translations } from '../translations.ts'
import type { View } from '../view.ts'
import { layout } from './layout.ts'

/** The page of an unknown barcode. Its status is 404. */
export const noSuchProductPage = (view: View, code: string): string =>
  errorPage(view, html`<p>${translations[view.language].noSuchProduct(code)}</p>`)

/** The page of any other unknown address. */
export const noSuchPage = (view: View): string =>
  errorPage(view, html`<p>${translations[view.language].noSuchPage}</p>`)

const errorPage = (view: View, text: Html): string =>
  layout({
    title: translations[view.language].error,
    view,
    bodyClass: 'error_page',
    content: html`<h1 class="if-empty-dnone">${translations[view.language].error}</h1>\n${text}`,
  })
