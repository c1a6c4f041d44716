import { productColumns } from '../../product.ts'
import { nutrientNames, otherNutrients } from '../record/nutriments.ts'
import type { Wanted } from './pick.ts'

const nutrients = [...Object.values(nutrientNames), ...otherNutrients]

const each = (names: readonly string[]): Wanted =>
  Object.fromEntries(names.map(name => [name, true as const]))

/**
 * What `productOf` reads of a product, by its name in Open Food Facts' API and exports, or in the record. A test holds
 * the two together.
 */
export const apiFields: Wanted = {
  ...each(productColumns),
  ...each(['_id', 'obsolete', 'product_name_*', 'generic_name_*']),
  ...each([
    'brands_tags',
    'categories_tags',
    'labels_tags',
    'countries_tags',
    'allergens_tags',
    'additives_tags',
  ]),
  ...each(['nutrition_grade_fr', 'nova_groups', 'ecoscore_grade']),
  nutriments: each(nutrients.map(name => `${name}_100g`)),
  nutrition: { aggregated_set: { per: true, preparation: true, nutrients: each(nutrients) } },
  ...each(['image_front_url', 'lc', 'last_updated_t']),
  images: { selected: { front: { '*': { rev: true } } }, 'front_*': { rev: true } },
}
