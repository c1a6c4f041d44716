/**
 * The form in which Open Food Facts files and compares names: lower case, without accents and ligatures, and `-` for
 * everything that is neither a letter nor a digit. `Pâtes à tartiner` gives `pates-a-tartiner`.
 * @see openfoodfacts-server, lib/ProductOpener/Store.pm, `get_string_id_for_lang`
 */
export const slug = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll('œ', 'oe')
    .replaceAll('æ', 'ae')
    .replaceAll('ß', 'ss')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
