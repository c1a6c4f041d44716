import { expect, test } from 'vitest'
import { isNested, nestedValue } from './nestedText.ts'

test.each<readonly [what: string, text: string, value: unknown]>([
  [
    'DuckDB',
    "[{'lang': main, 'text': Pain, complet}, {'lang': fr, 'text': NULL}]",
    [
      { lang: 'main', text: 'Pain, complet' },
      { lang: 'fr', text: null },
    ],
  ],
  [
    'DuckDB with quotes',
    String.raw`[{'lang': main, 'text': 'L\'eau: {1}'}]`,
    [{ lang: 'main', text: "L'eau: {1}" }],
  ],
  ['DuckDB, numbers', "[{'name': fat, '100g': 1.5, 'unit': g}]", [{ name: 'fat', '100g': '1.5', unit: 'g' }]],
  ['DuckDB, tags', '[en:france, en:italy]', ['en:france', 'en:italy']],
  [
    'Python',
    `[{'lang': 'main', 'text': "L'eau"}, {'lang': None}]`,
    [{ lang: 'main', text: "L'eau" }, { lang: null }],
  ],
  [
    'NumPy',
    "[{'lang': 'main', 'text': 'A'}\n {'lang': 'fr', 'text': 'B'}]",
    [
      { lang: 'main', text: 'A' },
      { lang: 'fr', text: 'B' },
    ],
  ],
  ['NumPy, tags', "['en:france' 'en:italy']", ['en:france', 'en:italy']],
  ['NumPy, repr', "array([{'a': 'b'}], dtype=object)", [{ a: 'b' }]],
  ['JSON', '[{"lang":"main","text":"Pain"}]', [{ lang: 'main', text: 'Pain' }]],
  ['an empty list', '[]', []],
  ['a list that is not closed', "[{'lang': main, 'text': Pain", undefined],
  ['a text with brackets, whose end is ambiguous', "[{'lang': main, 'text': a } b}]", undefined],
])('%s', (_what, text, value) => {
  expect(nestedValue(text)).toEqual(value)
})

test('a name in brackets is a text, a map of languages is not', () => {
  expect(['{1} Pain', '{Bio} Pain', '{fr} Pain'].map(text => isNested('product_name', text))).toEqual([
    ...[false, false, false],
  ])
  const maps = ["{'main': Pain}", '{main=Pain, fr=Pain}', '{"main":"Pain"}', '{}']
  expect(maps.map(text => isNested('product_name', text))).toEqual([true, true, true, true])
  expect([isNested('product_name', '[Bio] Pain'), isNested('product_name', "[{'lang': main}]")]).toEqual([
    false,
    true,
  ])
})
