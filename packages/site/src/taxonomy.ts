/** The languages in which tags have names. */
export const tagLanguages = ['fr', 'en'] as const
/** The languages of the site. The real site has more; where it has no translation it shows English, as this one does. */
export const languages = [...tagLanguages, 'ar', 'de', 'es', 'it', 'ja', 'nl', 'pl', 'ru'] as const
export type Language = (typeof languages)[number]

/** The kinds of tags of a product. The real site calls them facets. */
export type Facet = 'categories' | 'brands' | 'countries' | 'labels'

/**
 * The name of a tag such as `en:spreads` in a language: the taxonomy's name if it is known here, otherwise the tag's own
 * words, with the tag's language as prefix if it differs (`fr:Pâtes à tartiner`).
 *
 * @param written the product's own name of the tag
 */
export const tagName = (tag: string, language: Language, written?: string): string => {
  const known = names.get(tag)?.[tagLanguage(language)] ?? countryName(tag, language)
  if (known !== undefined) return known
  const [, prefix, id = tag] = /^(?:([a-z]{2}):)?(.*)$/s.exec(tag) ?? []
  const name = written ?? sentence(id.replaceAll('-', ' '))
  // An English tag is part of the real taxonomy, which has a name in every language. The product's name is the closest.
  const isShown =
    prefix === undefined || prefix === tagLanguage(language) || (prefix === 'en' && written !== undefined)
  return isShown ? name : `${prefix}:${name}`
}

/** The name of an additive (`en:e330`) on its panel: number and name, or only the number. */
export const additiveName = (tag: string, language: Language): string => {
  const number = sentence(tag.replace(/^[a-z]{2}:/, ''))
  const name = additives[number.toLowerCase()]?.[language === 'fr' ? 1 : 0]
  return name === undefined ? number : `${number} - ${name}`
}

/** The number of additives in tags. Variants of one additive (`en:e322i`) count once. */
export const additivesCount = (tags: readonly string[]): number =>
  new Set(tags.map(tag => tag.replace(/(?<=\d[a-z]?)[iv]+$/, ''))).size

/**
 * A name in an address: lower case, without accents, other characters than letters and digits replaced by `-`.
 * @see the server's `get_string_id_for_lang`, lib/ProductOpener/Store.pm
 */
export const slug = (name: string): string =>
  name
    .replace(/œ/gi, 'oe')
    .replace(/æ/gi, 'ae')
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')

const tagLanguage = (language: Language) => (language === 'fr' ? 'fr' : 'en')

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1)

/** Country tags are `en:` and the English name. Node has the names in every language. */
const countryName = (tag: string, language: Language): string | undefined => {
  const region = regions().get(tag)
  return region === undefined ? undefined : displayNames[tagLanguage(language)].of(region)
}

const displayNames = {
  fr: new Intl.DisplayNames('fr', { type: 'region', fallback: 'none' }),
  en: new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }),
} as const

let regionsByTag: ReadonlyMap<string, string> | null = null

const regions = (): ReadonlyMap<string, string> => {
  const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
  regionsByTag ??= new Map(
    letters
      .flatMap(first => letters.map(second => first + second))
      .flatMap(region => {
        const name = displayNames.en.of(region)
        return name === undefined ? [] : [[`en:${slug(name)}`, region] as const]
      }),
  )
  return regionsByTag
}

/** `number: [English, French]`. */
const additives: Readonly<Record<string, readonly [string, string]>> = {
  e100: ['Curcumin', 'Curcumine'],
  e150a: ['Plain caramel', 'Caramel'],
  e150d: ['Sulphite ammonia caramel', 'Caramel au sulfite d’ammonium'],
  e160a: ['Carotene', 'Caroténoïdes'],
  e160c: ['Paprika extract', 'Extrait de paprika'],
  e202: ['Potassium sorbate', 'Sorbate de potassium'],
  e211: ['Sodium benzoate', 'Benzoate de sodium'],
  e250: ['Sodium nitrite', 'Nitrite de sodium'],
  e252: ['Potassium nitrate', 'Nitrate de potassium'],
  e270: ['Lactic acid', 'Acide lactique'],
  e282: ['Calcium propionate', 'Propionate de calcium'],
  e300: ['Ascorbic acid', 'Acide ascorbique'],
  e301: ['Sodium ascorbate', 'Ascorbate de sodium'],
  e316: ['Sodium erythorbate', 'Érythorbate de sodium'],
  e322: ['Lecithins', 'Lécithines'],
  e330: ['Citric acid', 'Acide citrique'],
  e331: ['Sodium citrates', 'Citrates de sodium'],
  e407: ['Carrageenan', 'Carraghénanes'],
  e410: ['Carob bean gum', 'Gomme de caroube'],
  e412: ['Guar gum', 'Gomme de guar'],
  e414: ['Acacia gum', 'Gomme arabique'],
  e415: ['Xanthan gum', 'Gomme xanthane'],
  e440: ['Pectins', 'Pectines'],
  e442: ['Ammonium phosphatides', 'Phosphatides d’ammonium'],
  e450: ['Diphosphates', 'Diphosphates'],
  e471: ['Mono- and diglycerides of fatty acids', 'Mono- et diglycérides d’acides gras'],
  e476: ['Polyglycerol polyricinoleate', 'Polyricinoléate de polyglycérol'],
  e500: ['Sodium carbonates', 'Carbonates de sodium'],
  e503: ['Ammonium carbonates', 'Carbonates d’ammonium'],
  e509: ['Calcium chloride', 'Chlorure de calcium'],
  e621: ['Monosodium glutamate', 'Glutamate monosodique'],
  e950: ['Acesulfame K', 'Acésulfame K'],
  e951: ['Aspartame', 'Aspartame'],
  e955: ['Sucralose', 'Sucralose'],
  e1442: ['Hydroxypropyl distarch phosphate', 'Phosphate de diamidon hydroxypropylé'],
}

const table: readonly (readonly [tag: string, en: string, fr: string])[] = [
  ['en:breakfasts', 'Breakfasts', 'Petit-déjeuners'],
  ['en:spreads', 'Spreads', 'Produits à tartiner'],
  ['en:sweet-spreads', 'Sweet spreads', 'Produits à tartiner sucrés'],
  ['en:hazelnut-spreads', 'Hazelnut spreads', 'Pâtes à tartiner aux noisettes'],
  ['en:fruit-preserves', 'Fruit preserves', 'Préparations à base de fruits'],
  ['en:jams', 'Jams', 'Confitures'],
  ['en:honeys', 'Honeys', 'Miels'],
  ['en:cereals-and-potatoes', 'Cereals and potatoes', 'Céréales et pommes de terre'],
  ['en:breakfast-cereals', 'Breakfast cereals', 'Céréales pour petit-déjeuner'],
  ['en:mueslis', 'Mueslis', 'Mueslis'],
  ['en:pastas', 'Pastas', 'Pâtes alimentaires'],
  ['en:rices', 'Rices', 'Riz'],
  ['en:breads', 'Breads', 'Pains'],
  ['en:sliced-breads', 'Sliced breads', 'Pains de mie'],
  ['en:snacks', 'Snacks', 'Snacks'],
  ['en:sweet-snacks', 'Sweet snacks', 'Snacks sucrés'],
  ['en:salty-snacks', 'Salty snacks', 'Snacks salés'],
  ['en:biscuits-and-cakes', 'Biscuits and cakes', 'Biscuits et gâteaux'],
  ['en:biscuits', 'Biscuits', 'Biscuits'],
  ['en:chocolates', 'Chocolates', 'Chocolats'],
  ['en:dark-chocolates', 'Dark chocolates', 'Chocolats noirs'],
  ['en:milk-chocolates', 'Milk chocolates', 'Chocolats au lait'],
  ['en:confectioneries', 'Confectioneries', 'Confiseries'],
  ['en:candies', 'Candies', 'Bonbons'],
  ['en:crisps', 'Crisps', 'Chips'],
  ['en:dairies', 'Dairies', 'Produits laitiers'],
  ['en:yogurts', 'Yogurts', 'Yaourts'],
  ['en:fruit-yogurts', 'Fruit yogurts', 'Yaourts aux fruits'],
  ['en:desserts', 'Desserts', 'Desserts'],
  ['en:dairy-desserts', 'Dairy desserts', 'Desserts lactés'],
  ['en:cheeses', 'Cheeses', 'Fromages'],
  ['en:hard-cheeses', 'Hard cheeses', 'Fromages à pâte dure'],
  ['en:goat-cheeses', 'Goat cheeses', 'Fromages de chèvre'],
  ['en:butters', 'Butters', 'Beurres'],
  ['en:fats', 'Fats', 'Matières grasses'],
  ['en:vegetable-oils', 'Vegetable oils', 'Huiles végétales'],
  ['en:olive-oils', 'Olive oils', "Huiles d'olive"],
  ['en:beverages', 'Beverages', 'Boissons'],
  ['en:waters', 'Waters', 'Eaux'],
  ['en:mineral-waters', 'Mineral waters', 'Eaux minérales'],
  ['en:carbonated-drinks', 'Carbonated drinks', 'Boissons gazeuses'],
  ['en:sodas', 'Sodas', 'Sodas'],
  ['en:fruit-juices', 'Fruit juices', 'Jus de fruits'],
  ['en:plant-based-milk-alternatives', 'Plant-based milk alternatives', 'Boissons végétales'],
  ['en:oat-based-drinks', 'Oat-based drinks', "Boissons à base d'avoine"],
  ['en:canned-foods', 'Canned foods', 'Conserves'],
  ['en:canned-vegetables', 'Canned vegetables', 'Légumes en conserve'],
  ['en:canned-fishes', 'Canned fishes', 'Poissons en conserve'],
  ['en:sardines', 'Sardines', 'Sardines'],
  ['en:legumes', 'Legumes', 'Légumineuses'],
  ['en:lentils', 'Lentils', 'Lentilles'],
  ['en:fruits', 'Fruits', 'Fruits'],
  ['en:compotes', 'Compotes', 'Compotes'],
  ['en:meats', 'Meats', 'Viandes'],
  ['en:prepared-meats', 'Prepared meats', 'Charcuteries'],
  ['en:hams', 'Hams', 'Jambons'],
  ['en:sausages', 'Sausages', 'Saucissons'],
  ['en:meals', 'Meals', 'Plats préparés'],
  ['en:pizzas', 'Pizzas', 'Pizzas'],
  ['en:soups', 'Soups', 'Soupes'],
  ['en:frozen-foods', 'Frozen foods', 'Surgelés'],
  ['en:ice-creams', 'Ice creams', 'Glaces'],
  ['en:sauces', 'Sauces', 'Sauces'],
  ['en:tomato-sauces', 'Tomato sauces', 'Sauces tomate'],
  ['en:mayonnaises', 'Mayonnaises', 'Mayonnaises'],
  ['en:nuts', 'Nuts', 'Fruits à coque'],
  ['en:organic', 'Organic', 'Bio'],
  ['en:eu-organic', 'EU Organic', 'Bio européen'],
  ['en:fair-trade', 'Fair trade', 'Commerce équitable'],
  ['en:no-gluten', 'No gluten', 'Sans gluten'],
  ['en:no-palm-oil', 'No palm oil', 'Sans huile de palme'],
  ['en:no-preservatives', 'No preservatives', 'Sans conservateurs'],
  ['en:no-added-sugar', 'No added sugar', 'Sans sucres ajoutés'],
  ['en:vegetarian', 'Vegetarian', 'Végétarien'],
  ['en:vegan', 'Vegan', 'Végétalien'],
  ['en:made-in-france', 'Made in France', 'Fabriqué en France'],
  ['en:pdo', 'PDO', 'AOP'],
  ['en:milk', 'Milk', 'Lait'],
  ['en:gluten', 'Gluten', 'Gluten'],
  ['en:soybeans', 'Soybeans', 'Soja'],
  ['en:eggs', 'Eggs', 'Œufs'],
  ['en:fish', 'Fish', 'Poisson'],
  ['en:celery', 'Celery', 'Céleri'],
  ['en:mustard', 'Mustard', 'Moutarde'],
  ['en:peanuts', 'Peanuts', 'Arachides'],
  ['en:sesame-seeds', 'Sesame seeds', 'Graines de sésame'],
  ['en:sulphur-dioxide-and-sulphites', 'Sulphur dioxide and sulphites', 'Anhydride sulfureux et sulfites'],
  ['en:crustaceans', 'Crustaceans', 'Crustacés'],
  ['en:molluscs', 'Molluscs', 'Mollusques'],
  ['en:lupin', 'Lupin', 'Lupin'],
]

const names = new Map(table.map(([tag, en, fr]) => [tag, { en, fr }]))
