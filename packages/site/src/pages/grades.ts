import type { CatalogueProduct } from '../catalogue.ts'
import { translations } from '../translations.ts'
import type { View } from '../view.ts'

/** A grade as in the real site's lists, and the content of its panel on the product page. */
export interface Attribute {
  readonly id: string
  readonly panel_id: string
  readonly name: string
  /** `a-plus`, `a` to `f`, `unknown` or `not-applicable`. */
  readonly grade: string
  readonly status: 'known' | 'unknown'
  readonly title: string
  readonly icon_url: string
}

export const nutriScore = (product: CatalogueProduct, view: View): Attribute =>
  graded(
    'nutriscore',
    'nutriscore_2023',
    'Nutri-Score',
    product.nutriscore_grade,
    view,
    grade => `nutriscore-${grade}-new-${view.language}`,
  )

export const environmentalScore = (product: CatalogueProduct, view: View): Attribute =>
  graded(
    'ecoscore',
    'environmental_score',
    'Green-Score',
    product.environmental_score_grade,
    view,
    grade => `green-score-${grade}`,
  )

export const nova = (product: CatalogueProduct, view: View): Attribute => {
  const group = Number(product.nova_group)
  const title = translations[view.language].novaGroups
  const known = group >= 1 && group <= 4 && Number.isInteger(group)
  return {
    id: 'nova',
    panel_id: 'nova',
    name: 'NOVA',
    // The real site uses this mapping to rank by preferences.
    grade: known ? (['a', 'a', 'b', 'e'][group - 1] ?? 'unknown') : 'unknown',
    status: known ? 'known' : 'unknown',
    title: (known ? title[group] : undefined) ?? title[0],
    icon_url: icon(`nova-group-${known ? group : 'unknown'}`),
  }
}

const graded = (
  id: string,
  panel_id: string,
  name: string,
  written: string | null | undefined,
  view: View,
  iconOf: (grade: string) => string,
): Attribute => {
  const grade = written || 'unknown'
  const shown: Readonly<Record<string, string>> = {
    unknown: translations[view.language].unknown,
    'not-applicable': translations[view.language].notApplicable,
    'a-plus': 'A+',
  }
  return {
    id,
    panel_id,
    name,
    grade,
    status: /^[a-f](-plus)?$/.test(grade) ? 'known' : 'unknown',
    title: `${name} ${shown[grade] ?? grade.toUpperCase()}`,
    icon_url: icon(iconOf(grade)),
  }
}

const icon = (name: string): string => `/images/attributes/dist/${encodeURIComponent(name)}.svg`
