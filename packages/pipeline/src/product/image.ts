import { objectOf } from './json.ts'
import { numberOf } from './normalise.ts'

const imagesAt = 'https://images.openfoodfacts.org/images/products'

/**
 * The address of the front image of a product, 400 pixels, built from the field `images`. Three forms exist:
 * `front_fr: { rev }`, the same as a list (Parquet), and since 2025 `selected: { front: { fr: { rev }}}`. The image in
 * the product's own language is preferred, otherwise the first one is used; null without images.
 *
 * @param code the normalised barcode
 * @see https://openfoodfacts.github.io/openfoodfacts-server/api/how-to-download-images/
 */
export const imageUrl = (images: unknown, code: string, lang: string | null): string | null => {
  const fronts = frontsOf(images)
  const [language, revision] = fronts.find(([each]) => each === lang) ?? fronts[0] ?? []
  return language === undefined ? null : `${imagesAt}/${folderOf(code)}/front_${language}.${revision}.400.jpg`
}

type Front = readonly [language: string, revision: number]

const frontsOf = (images: unknown): readonly Front[] => {
  if (Array.isArray(images)) return images.flatMap(image => front(keyOf(image), image))
  const byKey = objectOf(images)
  const selected = objectOf(objectOf(byKey?.['selected'])?.['front'])
  return selected === null
    ? Object.entries(byKey ?? {}).flatMap(([key, image]) => front(key, image))
    : Object.entries(selected).flatMap(([language, image]) => front(`front_${language}`, image))
}

const keyOf = (image: unknown): string => String(objectOf(image)?.['key'] ?? '')

const front = (key: string, image: unknown): readonly Front[] => {
  const language = /^front_([a-z]{2,3})$/.exec(key)?.[1]
  const revision = numberOf(objectOf(image)?.['rev'])
  return language === undefined || revision === null || !Number.isInteger(revision)
    ? []
    : [[language, revision]]
}

/** The folder of a product: at least 13 digits, split in threes: `301/762/042/2003`. */
const folderOf = (code: string): string =>
  code.padStart(13, '0').replace(/^(\d{3})(\d{3})(\d{3})/, '$1/$2/$3/')
