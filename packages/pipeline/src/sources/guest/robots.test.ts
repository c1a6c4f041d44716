import { expect, test } from 'vitest'
import { Robots } from './robots.ts'

const rules = `
User-agent: *
Allow: /cgi/product_image.pl
Disallow: /cgi
Disallow: /api

User-agent: Scrapy
Disallow: /
`
const site = 'https://fr.openfoodfacts.org'
const addresses = [
  `${site}/`,
  `${site}/produit/3017620422003/nutella`,
  `${site}/cgi/search.pl?page=2`,
  `${site}/api/v2`,
]

const allowed = (userAgent: string, status: number, text: string): Promise<boolean[]> => {
  const robots = new Robots(userAgent, async () => ({ status, text }))
  return Promise.all(addresses.map(robots.allows))
}

test('rules apply to the name in the user agent', async () => {
  expect(await allowed('offstream/0.1.0 (+me@example.org)', 200, rules)).toEqual([true, true, false, false])
  expect(await allowed('Scrapy/2.0', 200, rules)).toEqual([false, false, false, false])
  expect(await allowed('offstream/0.1.0', 200, 'User-agent: offstream\nDisallow: /produit')).toEqual([
    ...[true, false, true, true],
  ])
})

test('a missing file allows everything; a file that cannot be fetched allows nothing', async () => {
  expect(await allowed('offstream', 404, 'User-agent: *\nDisallow: /')).toEqual([true, true, true, true])
  const failing = new Robots('offstream', () => Promise.reject(new Error('no answer')))
  await expect(failing.allows(`${site}/`)).rejects.toThrow('no answer')
})

test('the file is fetched once for each origin', async () => {
  const fetched: string[] = []
  const robots = new Robots('offstream', async address => {
    fetched.push(address)
    return { status: 200, text: rules }
  })
  await Promise.all([...addresses, 'https://world.openfoodfacts.org/2'].map(robots.allows))
  expect(fetched).toEqual([`${site}/robots.txt`, 'https://world.openfoodfacts.org/robots.txt'])
})
