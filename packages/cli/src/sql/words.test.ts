import { expect, test } from 'vitest'
import { type QueryNames, SqlWords } from './words.ts'

const answers: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'SHOW TABLES IN default': [['default', 'Products', 'false']],
  'SHOW NAMESPACES IN lake': [['off'], ['shop']],
  'SHOW TABLES IN lake.off': [['off', 'products', 'false']],
  'SHOW TABLES IN lake.shop': [['shop', 'clicks', 'false']],
  'DESCRIBE Products': [
    ['code', 'string'],
    ['product_name', 'string'],
  ],
  'DESCRIBE lake.shop.clicks': [
    ['session_id', 'string'],
    ['', ''],
    ['# Partitioning', ''],
  ],
}

const columns = ['namespace', 'tableName', 'isTemporary'].map(name => ({ name, type: 'string' }))
const wordsWith = (query: QueryNames = async sql => ({ columns, rows: answers[sql] ?? [] })) =>
  new SqlWords(query)

test.each([
  ['sel', ['select'], 'sel'],
  ['SEL', ['SELECT'], 'SEL'],
  ['SELECT product_', ['product_name'], 'product_'],
  ['SELECT * FROM prod', ['products', 'product_name'], 'prod'],
  ['SELECT * FROM lake.sh', ['lake.shop.clicks'], 'lake.sh'],
  ['SELECT * FROM lake.shop.clicks c WHERE c.ses', ['session_id'], 'ses'],
  ['SELECT * FROM lake.shop.clicks WHERE\n sess', ['session_id'], 'sess'],
  ['SELECT nothing_like_it', [], 'nothing_like_it'],
])('`%s` can be continued with %j', async (before, candidates, typed) => {
  expect(await wordsWith().complete(before)).toEqual([candidates, typed])
})

test('names are read once, and again after a statement that changes them', async () => {
  const queries: string[] = []
  const words = wordsWith(async sql => {
    queries.push(sql)
    return { columns, rows: answers[sql] ?? [] }
  })
  await words.complete('SELECT c')
  const first = queries.length
  await words.complete('SELECT co')
  expect(queries.length).toBe(first)
  words.forget()
  await words.complete('SELECT c')
  expect(queries.length).toBe(2 * first)
})

test('names that could not be read are read again for the next completion', async () => {
  const failing = new Set(['SHOW NAMESPACES IN lake', 'DESCRIBE Products'])
  const words = wordsWith(async sql => {
    if (failing.delete(sql)) throw new Error('the server is busy')
    return { columns, rows: answers[sql] ?? [] }
  })
  const completions: unknown[] = []
  for (let attempt = 1; attempt <= 3; attempt += 1) completions.push((await words.complete('SELECT prod'))[0])
  expect(completions).toEqual([[], ['products'], ['products', 'product_name']])
})

test('without a server, keywords are completed', async () => {
  const words = wordsWith(() => Promise.reject(new Error('no server')))
  expect(await words.complete('SELECT * FRO')).toEqual([['FROM'], 'FRO'])
})
