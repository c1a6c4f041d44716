import { type Html, html } from '../html.ts'
import { translations } from '../translations.ts'
import type { View } from '../view.ts'

export interface PageParts {
  readonly title: string
  readonly view: View
  /** The canonical path. */
  readonly canonical?: string
  /** Attributes of the body. */
  readonly about?: string
  readonly bodyClass?: string
  readonly content: Html
}

/** A whole page: head, search form, `content`, and the footer with the data's source and license. */
export const layout = ({ title, view, canonical, about, bodyClass, content }: PageParts): string => {
  const say = translations[view.language]
  const [data, source, licence, odbl, invented] = say.licence
  const link = canonical === undefined ? null : html`<link rel="canonical" href="//${view.host}${canonical}">`
  const subject = about === undefined ? null : html` about="${about}" typeof="food:foodProduct"`
  return html`<!doctype html>
<html class="no-js" lang="${view.language}" dir="${view.language === 'ar' ? 'rtl' : 'ltr'}">
<head>
  <meta charset="utf-8">
  <title>${title}</title>
  <meta name="viewport" content="width=device-width, initial-scale=1.0">
  ${link}
  <link rel="icon" href="/favicon.ico">
  <link rel="stylesheet" href="/css/dist/app.css">
</head>
<body${subject} class="${bodyClass ?? 'list_page'}">
<header>
  <a href="/">offstream</a>
  <form action="/${say.searchPath}"><input name="search_terms" aria-label="${say.search}"><button>${say.search}</button></form>
</header>
<main id="main_column">
${content}
</main>
<footer>
  <p>${say.standIn}</p>
  <p>${data}<a href="https://world.openfoodfacts.org">${source}</a>${licence}<a href="https://opendatacommons.org/licenses/odbl/1-0/">${odbl}</a>${invented}</p>
</footer>
</body>
</html>
`.text
}
