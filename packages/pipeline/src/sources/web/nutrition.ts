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

/** A nutrition table as it stands on the page: the texts of its head and of each row's cells. */
export interface NutritionTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

// Rows have no ids on the site (read 2026): the label in the page's language is all that names them. Sub-rows such as
// "Monounsaturated fat" make it unsafe to match less than the whole label.
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
 * What the table tells for 100 g or 100 ml of the product as sold. A row that is missing, `?` (unknown) or `-` (not
 * on the package) is null, and so are all where the table tells only of a serving or of the prepared product.
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

// "per serving (100 g)" names 100 g too; only the column of the reference amount names the millilitres beside it.
const isAsSoldFor100 = (heading: string): boolean =>
  /100\s*g\s*\/\s*100\s*ml/i.test(heading) && !/^\s*pr(?:epared|éparé)/i.test(heading)
