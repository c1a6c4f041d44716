import { asciiDigits, cleanText, grams, kilocalories, rounded } from '../../product/normalise.ts'
import type { Product } from '../../product/product.ts'
import { type LabelledNutrient, nutrientLabels } from './nutrientLabels.ts'

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

/**
 * The nutriments for 100 g or 100 ml of the product as sold: grams, and kilocalories for energy. A missing row, `?`
 * (unknown), `-` (not on the package) and a trace without a number give null. As in Open Food Facts, missing kilocalories
 * are converted from kilojoules, and missing salt is 2.5 times the sodium. A table with values only for a serving or for
 * the prepared product gives null for all.
 */
export const nutrimentsOf = ({ head, rows }: NutritionTable, lang: string): Nutriments => {
  const column = asSoldFor100(head)
  const cells = rows.map(row => ({ nutrient: nutrientOf(row[0] ?? ''), text: row[column] ?? '' }))
  const first = (nutrient: LabelledNutrient, read: typeof grams): number | null =>
    cells.flatMap(cell => (cell.nutrient === nutrient ? (read(cell.text, lang) ?? []) : []))[0] ?? null
  const mass = (nutrient: LabelledNutrient) => first(nutrient, grams)
  const energy = (nutrient: LabelledNutrient) => first(nutrient, kilocalories)
  return {
    energy_kcal_100g: energy('energyKcal') ?? energy('energy') ?? energy('energyKj'),
    fat_100g: mass('fat'),
    saturated_fat_100g: mass('saturatedFat'),
    carbohydrates_100g: mass('carbohydrates'),
    sugars_100g: mass('sugars'),
    fiber_100g: mass('fiber'),
    proteins_100g: mass('proteins'),
    salt_100g: mass('salt') ?? saltOf(mass('sodium')),
  }
}

/**
 * The labels of a table in which no row is recognised although rows have amounts; otherwise empty. Such a table has
 * another layout, or labels that `nutrientLabels` does not have.
 */
export const unreadLabels = ({ rows }: NutritionTable, lang: string): readonly string[] => {
  if (rows.some(row => nutrientOf(row[0] ?? '') !== null)) return []
  const isAmount = (cell: string) => grams(cell, lang) !== null || kilocalories(cell, lang) !== null
  return rows.filter(row => row.some(isAmount)).map(row => cleanText(row[0]) ?? '')
}

/**
 * The nutrient of a row, which has no id (read 2026). The whole label must match, because of sub-rows such as
 * "Monounsaturated fat". The language of the page does not matter: no label belongs to two nutrients.
 */
const nutrientOf = (label: string): LabelledNutrient | null => {
  const folded = foldedLabel(label)
  const known = nutrients.get(folded)
  if (known !== undefined) return known
  const [, part = ''] = ofWhich.exec(folded) ?? []
  const partOf = nutrients.get(part)
  if (partOf === 'sugars' || partOf === 'saturatedFat') return partOf
  const [, whole = ''] = withoutFiber.exec(folded) ?? []
  return nutrients.get(whole) === 'carbohydrates' ? 'carbohydrates' : null
}

/** Case and compatibility forms (presentation forms of Arabic, full width) do not matter. `ẞ` and `ß` become `ss`. */
const foldedLabel = (label: string): string =>
  label
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/\s+/g, ' ')
    .replace(/^[-–—•· ]+|[: ]+$/g, '')
    .replaceAll('’', "'")

const nutrients: ReadonlyMap<string, LabelledNutrient> = new Map(
  (Object.keys(nutrientLabels) as LabelledNutrient[]).flatMap(nutrient =>
    nutrientLabels[nutrient].map(label => [foldedLabel(label), nutrient] as const),
  ),
)

// Read only before sugars and saturated fat, which are parts of another row on every package.
const ofWhich =
  /^(?:of which|dont|davon|de los cuales|de las cuales|di cui|waarvan|w tym|dos quais|das quais|varav|heraf|herav|hvorav|joista|из них|в том числе|з них|うち) ?(.+)$/u

// The site shows `Carbohydrates (without fiber)` where another row has the total (read 2026).
const withoutFiber =
  /^(.+?) ?\((?:without|sans|ohne|sin|senza|zonder|sem|sense|bez|без|utan|uden|uten|ilman|χωρισ|χωρίς|fără|بدون|不含|除)[^()]*\)$/u

const saltOf = (sodium: number | null): number | null => (sodium === null ? null : rounded(sodium * 2.5))

/** The first column for the reference amount as sold; -1 without one. The site shows columns as sold before prepared ones. */
const asSoldFor100 = (head: readonly string[]): number =>
  head.map(asciiDigits).findIndex(heading => referenceAmount.test(heading) && !prepared.test(heading))

// "per serving (100 g)" contains 100 g too; only the reference amount is `100 g / 100 ml`, in the letters of any language.
const referenceAmount = /^[^(]*(?<!\d)100(?!\d)[^\d%]{1,20}(?<!\d)100(?!\d|\s*%)/u

/**
 * How headings of prepared products start. In ar, de, en, es, fr, it, ja, nl, pl and ru these are the words of the site
 * (`prepared_product` in `po/common/*.po` of openfoodfacts/openfoodfacts-server, read 2026-11-26). The others are stems of
 * the words for "prepared", "made ready" and "cooked".
 */
const preparedStems = [
  // Latin script, west to east.
  'prepar|prépar|përgat|pregăt|preten|pretig|pripr|připr|przygotow|gotow|elkész|készít|hazır|tayyor|taýýar',
  'gebrauchsfertig|zubereit|vorbereit|bereid|toebereid|klaargemaakt|voorberei|tillag|tilbered|tillav|beredd',
  'färdig|færdig|ferdig|tilbú|tilreid|valmis|sagatav|pagatav|paruoš|pagamin|prestat|ullmh|paratoi|deasa',
  'disiap|siap|disedia|dimasak|inihanda|handa|niluto|đã chuẩn bị|đã pha|đã nấu|chế biến|imeandal|iliyoandal',
  // Cyrillic, Greek, and the scripts of the Caucasus.
  'пригот|пригатав|прыгатав|припрем|припрям|подготв|готов|дайын|даяр|тайёр|παρασκευ|προετοιμ|έτοιμ|μαγειρ|պատրաստ|მომზად|მზა',
  // Other scripts.
  'معد|محضر|مُعد|آماده|تهیه|تیار|تىيار|מוכן|מבושל|גרייט|तैयार|तयार|প্রস্তুত|তৈরি|தயார|தயாரி|సిద్ధ|ಸಿದ್ಧ|തയ്യാ|ਤਿਆਰ|તૈયાર|සූදානම්',
  'ปรุง|เตรียม|ชง|ກຽມ|រៀបចំ|ပြင်ဆင်|調整|調理|制备|製備|已准备|准备|準備|冲调|沖調|冲泡|沖泡|调制|調製|烹|조리|조제|준비',
]

const prepared = new RegExp(`^\\s*(?:${preparedStems.join('|')})`, 'iu')
