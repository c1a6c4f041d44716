import { nutritionWords } from './nutritionWords.ts'
import type { Facet, Language } from './taxonomy.ts'

/** The texts of the pages and the words in their addresses, in one language. */
export interface Words {
  readonly productPath: string
  readonly searchPath: string
  /** The names in `/facets/<plural>/<tag>` and `/<singular>/<tag>`. */
  readonly facets: Readonly<
    Record<Facet, { readonly singular: string; readonly plural: string; readonly name: string }>
  >
  readonly separator: string
  readonly siteTitle: string
  readonly standIn: string
  readonly licence: readonly [before: string, link: string, between: string, link: string, after: string]
  readonly error: string
  readonly noSuchPage: string
  readonly noSuchProduct: (code: string) => string
  readonly searchResults: string
  readonly search: string
  readonly products: (count: number) => string
  readonly pages: string
  readonly next: string
  readonly previous: string
  readonly perPage: (size: number) => string
  readonly barcode: string
  readonly fields: Readonly<
    Record<'generic_name' | 'quantity' | 'brands' | 'categories' | 'labels' | 'countries', string>
  >
  readonly obsolete: string
  readonly health: string
  readonly unknown: string
  readonly notApplicable: string
  readonly nutritionFacts: string
  readonly asSold: string
  readonly prepared: string
  readonly for100: string
  readonly perServing: string
  readonly ingredients: (count: number) => string
  readonly allergens: string
  readonly traces: string
  readonly additives: string
  readonly processing: string
  readonly novaGroups: readonly [string, string, string, string, string]
  readonly environment: string
  readonly nutriments: Readonly<Record<string, string>>
}

const plural = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const whole: Readonly<Record<'fr' | 'en', Words>> = {
  fr: {
    productPath: 'produit',
    searchPath: 'recherche',
    facets: {
      categories: { singular: 'categorie', plural: 'categories', name: 'Catégorie' },
      brands: { singular: 'marque', plural: 'marques', name: 'Marque' },
      countries: { singular: 'pays', plural: 'pays', name: 'Pays' },
      labels: { singular: 'label', plural: 'labels', name: 'Label' },
    },
    separator: ' : ',
    siteTitle: 'Tous les produits',
    standIn: 'Doublure d’Open Food Facts, servie par offstream pour ses démonstrations et ses tests.',
    licence: ['Données : ', 'Open Food Facts', ', licence ', 'ODbL', ', ou inventées par offstream.'],
    error: 'Erreur',
    noSuchPage: 'Cette page n’existe pas.',
    noSuchProduct: code => `Aucun produit listé pour le code-barres ${code}.`,
    searchResults: 'Résultats de la recherche',
    search: 'Rechercher',
    products: count => plural(count, 'produit', 'produits'),
    pages: 'Pages :',
    next: 'Suivante',
    previous: 'Précédente',
    perPage: size => `(${size} produits par page)`,
    barcode: 'Code-barres',
    fields: {
      generic_name: 'Dénomination générique',
      quantity: 'Quantité',
      brands: 'Marques',
      categories: 'Catégories',
      labels: 'Labels, certifications, récompenses',
      countries: 'Pays de vente',
    },
    obsolete: 'Produit retiré de la vente.',
    health: 'Santé',
    unknown: 'inconnu',
    notApplicable: 'non applicable',
    nutritionFacts: 'Tableau nutritionnel',
    asSold: 'Tel que vendu',
    prepared: 'Préparé',
    for100: 'pour 100 g / 100 ml',
    perServing: 'par portion',
    ingredients: count => plural(count, 'ingrédient', 'ingrédients'),
    allergens: 'Allergènes :',
    traces: 'Traces éventuelles :',
    additives: 'Additifs',
    processing: 'Transformation des aliments',
    novaGroups: [
      'Niveau de transformation inconnu',
      'Aliments non transformés ou transformés minimalement',
      'Ingrédients culinaires transformés',
      'Aliments transformés',
      'Produits alimentaires ultra-transformés',
    ],
    environment: 'Environnement',
    nutriments: {
      energy: 'Énergie',
      fat: 'Matières grasses',
      'saturated-fat': 'Acides gras saturés',
      'monounsaturated-fat': 'Acides gras monoinsaturés',
      'polyunsaturated-fat': 'Acides gras polyinsaturés',
      'trans-fat': 'Acides gras trans',
      cholesterol: 'Cholestérol',
      carbohydrates: 'Glucides',
      sugars: 'Sucres',
      'added-sugars': 'Sucres ajoutés',
      fiber: 'Fibres alimentaires',
      proteins: 'Protéines',
      salt: 'Sel',
    },
  },
  en: {
    productPath: 'product',
    searchPath: 'search',
    facets: {
      categories: { singular: 'category', plural: 'categories', name: 'Category' },
      brands: { singular: 'brand', plural: 'brands', name: 'Brand' },
      countries: { singular: 'country', plural: 'countries', name: 'Country' },
      labels: { singular: 'label', plural: 'labels', name: 'Label' },
    },
    separator: ': ',
    siteTitle: 'All products',
    standIn: 'Stand-in for Open Food Facts, served by offstream for its demonstrations and tests.',
    licence: ['Data: ', 'Open Food Facts', ', licence ', 'ODbL', ', or generated by offstream.'],
    error: 'Error',
    noSuchPage: 'This page does not exist.',
    noSuchProduct: code => `No product listed for barcode ${code}.`,
    searchResults: 'Search results',
    search: 'Search',
    products: count => plural(count, 'product', 'products'),
    pages: 'Pages:',
    next: 'Next',
    previous: 'Previous',
    perPage: size => `(${size} products per page)`,
    barcode: 'Barcode',
    fields: {
      generic_name: 'Common name',
      quantity: 'Quantity',
      brands: 'Brands',
      categories: 'Categories',
      labels: 'Labels, certifications, awards',
      countries: 'Countries where sold',
    },
    obsolete: 'Product taken off the market.',
    health: 'Health',
    unknown: 'unknown',
    notApplicable: 'not applicable',
    nutritionFacts: 'Nutrition facts',
    asSold: 'As sold',
    prepared: 'Prepared',
    for100: 'for 100 g / 100 ml',
    perServing: 'per serving',
    ingredients: count => plural(count, 'ingredient', 'ingredients'),
    allergens: 'Allergens:',
    traces: 'Traces:',
    additives: 'Additives',
    processing: 'Food processing',
    novaGroups: [
      'Food processing level unknown',
      'Unprocessed or minimally processed foods',
      'Processed culinary ingredients',
      'Processed foods',
      'Ultra-processed foods',
    ],
    environment: 'Environment',
    nutriments: {
      energy: 'Energy',
      fat: 'Fat',
      'saturated-fat': 'Saturated fat',
      'monounsaturated-fat': 'Monounsaturated fat',
      'polyunsaturated-fat': 'Polyunsaturated fat',
      'trans-fat': 'Trans fat',
      cholesterol: 'Cholesterol',
      carbohydrates: 'Carbohydrates',
      sugars: 'Sugars',
      'added-sugars': 'Added sugars',
      fiber: 'Fiber',
      proteins: 'Proteins',
      salt: 'Salt',
    },
  },
}

/** English words, with the words of the nutrition table in `language`. */
const withTableIn = (language: keyof typeof nutritionWords): Words => {
  const { nutriments, ...words } = nutritionWords[language]
  return { ...whole.en, ...words, nutriments: { ...whole.en.nutriments, ...nutriments } }
}

export const translations: Readonly<Record<Language, Words>> = {
  ...whole,
  ar: withTableIn('ar'),
  de: withTableIn('de'),
  es: withTableIn('es'),
  it: withTableIn('it'),
  ja: withTableIn('ja'),
  nl: withTableIn('nl'),
  pl: withTableIn('pl'),
  ru: withTableIn('ru'),
}
