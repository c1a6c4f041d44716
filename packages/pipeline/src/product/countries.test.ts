import { expect, test } from 'vitest'
import { countryTag } from './countries.ts'

test.each([
  ['fr', 'en:france'],
  ['GB', 'en:united-kingdom'],
  ['cz', 'en:czech-republic'],
  ['France', 'en:france'],
  ['en:france', 'en:france'],
  ['united states', 'en:united-states'],
  ['Côte d’Ivoire', 'en:cote-d-ivoire'],
  ['ci', 'en:cote-d-ivoire'],
])('%s is filed under %s', (written, tag) => {
  expect(countryTag(written)).toBe(tag)
})

test.each([
  ['Frankreich', 'en:france'],
  ['DEUTSCHLAND', 'en:germany'],
  ['de:deutschland', 'en:germany'],
  ['fr:Royaume-Uni', 'en:united-kingdom'],
  ['fr:royaume-uni', 'en:united-kingdom'],
  ['es:espana', 'en:spain'],
  ['España', 'en:spain'],
  ['Stany Zjednoczone', 'en:united-states'],
  ['Соединенные Штаты', 'en:united-states'],
  ['日本', 'en:japan'],
  ['ｊａｐａｎ', 'en:japan'],
  ['فرنسا', 'en:france'],
  ['भारत', 'en:india'],
  ['Île de Noël', 'en:ile-de-noel'],
  ['Island', 'en:iceland'],
  ['Czechia', 'en:czech-republic'],
  ['Česko', 'en:czech-republic'],
  ['Türkiye', 'en:turkey'],
  ['Congo - Kinshasa', 'en:democratic-republic-of-the-congo'],
  ['St. Lucia', 'en:saint-lucia'],
  ['bosnia-and-herzegovina', 'en:bosnia-and-herzegovina'],
  ['en:trinidad-and-tobago', 'en:trinidad-and-tobago'],
  ['USA', 'en:united-states'],
  ['UK', 'en:united-kingdom'],
  ['Kongo', 'en:kongo'],
  ['en:world', 'en:world'],
  ['zz', 'en:zz'],
  ['', 'en:'],
])('the country %s is filed under %s in any language', (written, tag) => {
  expect(countryTag(written)).toBe(tag)
})

test('the names of large countries in all languages of Open Food Facts’ sites are known', () => {
  const regions = ['FR', 'DE', 'US', 'GB', 'ES', 'IT', 'JP', 'CN', 'BR', 'CH', 'NL', 'IS', 'GR', 'EG', 'IN']
  const languages =
    'ar bg cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nb nl pl pt ro ru sk sl sr sv th tr uk vi zh'
  const english = new Intl.DisplayNames('en', { type: 'region' })
  const wrong = languages.split(' ').flatMap(language => {
    const names = new Intl.DisplayNames(language, { type: 'region' })
    return regions
      .map(region => [
        language,
        names.of(region) ?? '',
        `en:${english.of(region)?.toLowerCase().replaceAll(' ', '-')}`,
      ])
      .filter(([, name, tag]) => countryTag(name ?? '') !== tag)
  })
  expect(wrong).toEqual([])
})
