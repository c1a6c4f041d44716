import { nutrients } from './nutriments.ts'
import type { Wanted } from './pick.ts'
import { productColumns } from './product.ts'

/** What the API is asked for: whole, a product would be ten times as much to send. */
export const askedFields: readonly string[] = [
  'code',
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

const each = (names: readonly string[]): Wanted =>
  Object.fromEntries(names.map(name => [name, true as const]))

/**
 * What `productOf` reads of a product, by its name in Open Food Facts' API and exports, or in the record. A test holds
 * the two together.
 */
export const apiFields: Wanted = {
  ...each(productColumns),
  ...each(askedFields),
  // What exports and older versions have in the place of these.
  ...each(['_id', 'product_name_*', 'generic_name_*', 'nutrition_grade_fr', 'nova_groups']),
  ...each(['image_front_url', 'lc']),
  images: { selected: { front: { '*': { rev: true } } }, 'front_*': { rev: true } },
  nutriments: each(nutrients.map(name => `${name}_100g`)),
  nutrition: { aggregated_set: { per: true, preparation: true, nutrients: each(nutrients) } },
}
