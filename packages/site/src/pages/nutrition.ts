import type { CatalogueProduct } from '../catalogue.ts'
import { type Html, html } from '../html.ts'
import type { Language } from '../taxonomy.ts'
import { translations } from '../translations.ts'
import type { View } from '../view.ts'

/** Shown on every page, even if unknown. Others are shown only if the product has them. */
const always: ReadonlySet<string> = new Set([
  'fat',
  'saturated-fat',
  'carbohydrates',
  'sugars',
  'fiber',
  'proteins',
  'salt',
])

type Per = '100g' | 'serving' | 'prepared_100g'

/**
 * The nutrition table: rows without ids or classes, labels and numbers in the page's language. Unlike the real site, it does
 * not round values.
 */
export const nutritionTable = (product: CatalogueProduct, { language }: View): Html => {
  const say = translations[language]
  const columns = columnsOf(product)
  const { energy: energyLabel = '', ...labels } = say.nutriments
  const rows = Object.entries(labels)
    .filter(([name]) => always.has(name) || columns.some(per => amount(product, name, per) !== null))
    .map(([name, label]) =>
      row(
        label,
        columns.map(per => grams(product, name, per, language)),
      ),
    )
  const energyRow = row(
    energyLabel,
    columns.map(per => energy(product, per, language)),
  )
  const serving = product.serving_size ? ` (${product.serving_size})` : ''
  const headings: Readonly<Record<Per, readonly [state: string, amount: string]>> = {
    '100g': [say.asSold, say.for100],
    serving: [say.asSold, `${say.perServing}${serving}`],
    prepared_100g: [say.prepared, say.for100],
  }
  const heads = columns.map(per => html`<th scope="col">${headings[per][0]}<br>${headings[per][1]}</th>`)
  return html`<table aria-label="${say.nutritionFacts}">
<thead><tr><th scope="col">${say.nutritionFacts}</th>${heads}</tr></thead>
<tbody>${energyRow}${rows}</tbody>
</table>`
}

/** The columns as sold come first, and are omitted if the product has values only for its prepared form. */
const columnsOf = ({ nutriments }: CatalogueProduct): readonly Per[] => {
  const names = Object.keys(nutriments ?? {})
  const has = (pattern: RegExp) => names.some(name => pattern.test(name))
  const isPrepared = has(/_prepared_100g$/)
  return [
    ...(isPrepared && !has(/(?<!_prepared)_100g$/) ? [] : (['100g'] as const)),
    ...(has(/(?<!_prepared)_serving$/) ? (['serving'] as const) : []),
    ...(isPrepared ? (['prepared_100g'] as const) : []),
  ]
}

const row = (label: string, cells: readonly Html[]): Html =>
  html`<tr><td><span>${label}</span></td>${cells.map(cell => html`<td><span>${cell}</span></td>`)}</tr>\n`

const amount = ({ nutriments }: CatalogueProduct, name: string, per: Per): number | null => {
  const value = nutriments?.[`${name}_${per}`]
  return typeof value === 'number' ? value : null
}

const grams = (product: CatalogueProduct, name: string, per: Per, language: Language): Html => {
  const value = amount(product, name, per)
  return value === null ? unknown : html`${localNumber(value, language)} g`
}

/** Energy in both units. A missing unit is converted with 4.184 kJ per kcal, as on the real site. */
const energy = (product: CatalogueProduct, per: Per, language: Language): Html => {
  const knownKcal = amount(product, 'energy-kcal', per)
  const kj = amount(product, 'energy', per) ?? (knownKcal === null ? null : Math.round(knownKcal * 4.184))
  if (kj === null) return unknown
  const kcal = knownKcal ?? Math.trunc(kj / 4.184)
  return html`${localNumber(kj, language)} kJ<br>(${localNumber(kcal, language)} kcal)`
}

const unknown = html`?`

const localNumber = (value: number, language: Language): string => formatOf(language).format(value)

// Without the country, Node writes Arabic with Latin digits.
const formatOf = (language: Language): Intl.NumberFormat => {
  const format =
    formats.get(language) ??
    new Intl.NumberFormat(language === 'ar' ? 'ar-EG' : language, { maximumFractionDigits: 20 })
  formats.set(language, format)
  return format
}

const formats = new Map<Language, Intl.NumberFormat>()
