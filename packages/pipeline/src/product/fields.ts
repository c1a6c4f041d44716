import { nutrients } from './nutriments.ts'
import type { Wanted } from './pick.ts'
import { productColumns } from './product.ts'

/** The fields that are requested from the API. A whole product would be ten times larger. */
export const requestedFields: readonly string[] = [
  'code',
  'product_type',
  'product_name',
  'generic_name',
  'quantity',
  'brands',
  'brands_tags',
  'categories',
  'categories_tags',
  'labels',
  'labels_tags',
  'countries',
  'countries_tags',
  'ingredients_text',
  'allergens',
  'allergens_tags',
  'additives_tags',
  'additives_n',
  'nutriscore_grade',
  'nova_group',
  'environmental_score_grade',
  'ecoscore_grade',
  'nutriments',
  'nutrition',
  'image_url',
  'url',
  'lang',
  'last_modified_t',
  'last_updated_t',
  'rev',
  'obsolete',
]

const all = (names: readonly string[]): Wanted => Object.fromEntries(names.map(name => [name, true as const]))

/**
 * The fields that `productOf` reads, by their names in the API and the exports of Open Food Facts, or in the record. A
 * test compares the two.
 */
export const apiFields: Wanted = {
  ...all(productColumns),
  ...all(requestedFields),
  // The names that exports and older versions use instead.
  ...all(['_id', 'product_name_*', 'generic_name_*', 'nutrition_grade_fr', 'nova_groups']),
  ...all(['image_front_url', 'lc']),
  images: { selected: { front: { '*': { rev: true } } }, 'front_*': { rev: true } },
  nutriments: all(nutrients.map(name => `${name}_100g`)),
  nutrition: { aggregated_set: { per: true, preparation: true, nutrients: all(nutrients) } },
}
