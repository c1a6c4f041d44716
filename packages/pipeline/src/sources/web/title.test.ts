import { expect, test } from 'vitest'
import { nameInTitle } from './title.ts'

test.each([
  ['all three are joined', "Apple pie - Bob's pies - 100 g", "Bob's pies", '100 g', 'Apple pie'],
  ['no quantity', 'Croissants - La Fournée', 'La Fournée', null, 'Croissants'],
  ['no brand', "Pates Langue d'oiseau - 500 g", null, '500 g', "Pates Langue d'oiseau"],
  ['neither', 'Le bio', null, null, 'Le bio'],
  ['the name holds the brand', "Lagg's, kidneytea - 30 g", "Lagg's", '30 g', "Lagg's, kidneytea"],
  ['the name holds the brand in other letters', 'MULLER milk', 'Müller', null, 'MULLER milk'],
  ['the name holds the quantity', 'Ryori Shu 1L Japon', null, '1L', 'Ryori Shu 1L Japon'],
  ['the name ends like its brand', 'Vita - Vita', 'Vita', null, 'Vita - Vita'],
  ['the name has dashes', 'X - Y - Brand - 1 kg', 'Brand', '1 kg', 'X - Y'],
  ['the brand is only a part of a word', 'Luncheon - LU', 'LU', null, 'Luncheon'],
  ['no name', 'Monoprix Bio', 'Monoprix Bio', null, null],
  ['no name, with quantity', 'Tic Tac - 10 g', 'Tic Tac', '10 g', null],
  ['only a quantity', '210 g', null, '210 g', null],
  ['an empty brand', 'The simpsons donuts -', null, null, 'The simpsons donuts'],
  ['an empty brand and a quantity', 'Crumpets - - 6', null, '6', 'Crumpets'],
  ['a quantity without words', 'Tea - ?', null, '?', 'Tea'],
  ['nothing', null, 'Brand', '1 kg', null],
])('%s: %j', (_case, title, brand, quantity, name) => {
  expect(nameInTitle({ title, brand, quantity })).toBe(name)
})
