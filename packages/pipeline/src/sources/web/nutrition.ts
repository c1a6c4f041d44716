import { cleanText, grams, kilocalories } from '../../product/normalise.ts'
import type { Product } from '../../product/product.ts'

/** The nutriments of the record. */
export type Nutriments = Pick<
  Product,
  | 'energy_kcal_100g'
  | 'fat_100g'
  | 'saturated_fat_100g'
  | 'carbohydrates_100g'
  | 'sugars_100g'
  | 'fiber_100g'
  | 'proteins_100g'
  | 'salt_100g'
>

/** The texts of a nutrition table: its head, and the cells of each row. */
export interface NutritionTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

// Rows have no ids (read 2026), only a label in the language of the page. The whole label must match, because of
// sub-rows such as "Monounsaturated fat".
const labels: Readonly<Record<keyof Nutriments, readonly string[]>> = {
  energy_kcal_100g: ['energy', 'énergie', 'energy (kcal)', 'énergie (kcal)'],
  fat_100g: ['fat', 'matières grasses', 'lipides'],
  saturated_fat_100g: ['saturated fat', 'acides gras saturés'],
  carbohydrates_100g: [
    'carbohydrates',
    'carbohydrates (without fiber)',
    'carbohydrate',
    'glucides',
    'glucides (sans fibres)',
  ],
  sugars_100g: ['sugars', 'sucres'],
  fiber_100g: ['fiber', 'fibre', 'dietary fiber', 'fibres', 'fibres alimentaires'],
  proteins_100g: ['proteins', 'protein', 'protéines'],
  salt_100g: ['salt', 'sel'],
}

/**
 * The nutriments for 100 g or 100 ml of the product as sold: grams, and kilocalories for energy. A missing row, `?`
 * (unknown) and `-` (not on the package) give null. A table with values only for a serving or for the prepared product
 * gives null for all.
 */
export const nutrimentsOf = ({ head, rows }: NutritionTable, lang: string): Nutriments => {
  const column = head.findIndex(isAsSoldFor100)
  const cells = new Map(rows.map(row => [cleanText(row[0])?.toLowerCase(), row[column] ?? '']))
  const cell = (name: keyof Nutriments): string => {
    const label = labels[name].find(each => cells.has(each))
    return cells.get(label) ?? ''
  }
  return {
    energy_kcal_100g: kilocalories(cell('energy_kcal_100g'), lang),
    fat_100g: grams(cell('fat_100g'), lang),
    saturated_fat_100g: grams(cell('saturated_fat_100g'), lang),
    carbohydrates_100g: grams(cell('carbohydrates_100g'), lang),
    sugars_100g: grams(cell('sugars_100g'), lang),
    fiber_100g: grams(cell('fiber_100g'), lang),
    proteins_100g: grams(cell('proteins_100g'), lang),
    salt_100g: grams(cell('salt_100g'), lang),
  }
}

// "per serving (100 g)" contains 100 g too; only the column of the reference amount also contains the millilitres.
const isAsSoldFor100 = (heading: string): boolean =>
  /100\s*g\s*\/\s*100\s*ml/i.test(heading) && !/^\s*pr(?:epared|éparé)/i.test(heading)
