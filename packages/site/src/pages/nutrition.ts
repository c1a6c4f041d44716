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

type Per = '100g' | 'serving'

/**
 * The nutrition table: rows without ids or classes, labels and numbers in the page's language. Unlike the real site, it does
 * not round values.
 */
export const nutritionTable = (product: CatalogueProduct, { language }: View): Html => {
  const say = translations[language]
  const perServing = Object.keys(product.nutriments ?? {}).some(name => name.endsWith('_serving'))
  const columns: readonly Per[] = perServing ? ['100g', 'serving'] : ['100g']
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
  const asSold = language === 'fr' ? 'Tel que vendu' : 'As sold'
  const serving = product.serving_size ? ` (${product.serving_size})` : ''
  const servingHead = perServing
    ? html`<th scope="col">${asSold}<br>${say.asSoldPerServing}${serving}</th>`
    : null
  return html`<table aria-label="${say.nutritionFacts}">
<thead><tr><th scope="col">${say.nutritionFacts}</th><th scope="col">${asSold}<br>${say.asSoldFor100}</th>${servingHead}</tr></thead>
<tbody>${energyRow}${rows}</tbody>
</table>`
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

const localNumber = (value: number, language: Language): string => formats[language].format(value)

const formats = {
  fr: new Intl.NumberFormat('fr', { maximumFractionDigits: 20 }),
  en: new Intl.NumberFormat('en', { maximumFractionDigits: 20 }),
} as const
