import { slug } from './slug.ts'

/**
 * The tag of a country in Open Food Facts, from its name in any language (`Frankreich`), a tag (`en:france`,
 * `fr:royaume-uni`) or a code of two letters (`fr`, ISO 3166-1). A name that is unknown, or that means different countries
 * in different languages, becomes the tag of an English name.
 */
export const countryTag = (written: string): string => {
  const known = tags.get(written)
  if (known !== undefined) return known
  const tag = tagOf(written)
  // A whole export has a few thousand different names. The limit protects the memory from hostile input.
  if (tags.size < maxTags) tags.set(written, tag)
  return tag
}

const tags = new Map<string, string>()
const maxTags = 20_000

const tagOf = (written: string): string => {
  const name = written.trim().replace(/^[a-z]{2,3}:\s*/i, '')
  const code = /^[a-z]{2}$/i.test(name) ? regionOf(name) : null
  const tag = code === null || !regions().has(code) ? null : englishTag(code)
  return tag ?? englishTags().get(nameKey(name)) ?? foreignTag(name) ?? `en:${slug(name)}`
}

const foreignTag = (name: string): string | null => {
  const { names, slugs } = allNames()
  return names.get(nameKey(name)) ?? slugs.get(slug(name)) ?? null
}

/** The current code of a region: `UK` is `GB`. null if it is not valid. */
const regionOf = (code: string): string | null => {
  try {
    return new Intl.Locale(`und-${code}`).region ?? null
  } catch {
    return null
  }
}

const namesIn = (language: string) => new Intl.DisplayNames(language, { type: 'region', fallback: 'none' })

/** Unicode writes `St. Lucia` and `Antigua & Barbuda`, Open Food Facts `saint-lucia` and `antigua-and-barbuda`. */
const englishTag = (code: string): string | null => {
  const name = english.of(code)
  if (name === undefined) return null
  const id = slug(name.replace('&', 'and').replace('St.', 'Saint'))
  return `en:${otherSlugs[id] ?? id}`
}

const english = namesIn('en')

/** Countries whose tag in Open Food Facts differs from the English name of Unicode. */
const otherSlugs: Readonly<Record<string, string>> = {
  czechia: 'czech-republic',
  turkiye: 'turkey',
  'hong-kong-sar-china': 'hong-kong',
  'macao-sar-china': 'macau',
  'myanmar-burma': 'myanmar',
  'congo-kinshasa': 'democratic-republic-of-the-congo',
  'congo-brazzaville': 'republic-of-the-congo',
}

/** Common names that Unicode does not have. */
const otherNames: Readonly<Record<string, string>> = {
  usa: 'en:united-states',
  'u-s-a': 'en:united-states',
  'united-states-of-america': 'en:united-states',
  'great-britain': 'en:united-kingdom',
  holland: 'en:netherlands',
}

const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(97 + index))
const pairs = letters.flatMap(one => letters.map(other => one + other))

/** Regions for tests, for oceans, and for unknown ones. */
const noCountries: ReadonlySet<string> = new Set(['XA', 'XB', 'QO', 'ZZ'])

/** The regions of Unicode without those that no longer exist. */
const regions = once(
  (): ReadonlySet<string> =>
    new Set(
      pairs
        .map(pair => pair.toUpperCase())
        .filter(code => regionOf(code) === code && english.of(code) !== undefined && !noCountries.has(code)),
    ),
)

/** The tags by English name, by the tag's own name, and by other names. */
const englishTags = once(
  (): ReadonlyMap<string, string> =>
    new Map([
      ...Object.entries(otherNames),
      ...[...regions()].flatMap(code => {
        const tag = englishTag(code)
        const name = english.of(code)
        return tag === null || name === undefined
          ? []
          : [[nameKey(name), tag] as const, [tag.slice(3), tag] as const]
      }),
    ]),
)

/**
 * The tags by names in all languages that Node knows, and by their slugs, which tags contain. It takes a fifth of a second
 * and is needed only for names that are not English. null: the name belongs to several countries.
 */
const allNames = once(() => {
  const [names, slugs] = [new Map<string, string | null>(), new Map<string, string | null>()]
  const add = (map: Map<string, string | null>, key: string, tag: string): void => {
    const known = map.get(key)
    map.set(key, known === undefined || known === tag ? tag : null)
  }
  for (const language of Intl.DisplayNames.supportedLocalesOf([...pairs, 'zh-Hant', 'sr-Latn', 'pt-PT'])) {
    const translated = namesIn(language)
    for (const code of regions()) {
      const [name, tag] = [translated.of(code), englishTag(code)]
      if (name === undefined || tag === null) continue
      add(names, nameKey(name), tag)
      add(slugs, slug(name), tag)
    }
  }
  return { names, slugs }
})

/** Case, width and punctuation do not matter. Unlike in a slug, marks do: in many scripts they are vowels. */
const nameKey = (name: string): string =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
