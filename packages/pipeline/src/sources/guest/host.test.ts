import { expect, test } from 'vitest'
import { Host } from './host.ts'

test.each([
  ['https://fr.openfoodfacts.org/facets', 'https://world.openfoodfacts.org/product/1', true],
  ['https://fr.openfoodfacts.org', 'https://openfoodfacts.org', true],
  ['http://openfoodfacts.org', 'https://openfoodfacts.org', true],
  ['https://fr.openfoodfacts.org', 'http://fr.openfoodfacts.org', false],
  ['https://fr.openfoodfacts.org', 'https://fr.openfoodfacts.org:8443', false],
  ['https://fr.openfoodfacts.org', 'https://evilopenfoodfacts.org', false],
  ['https://fr.openfoodfacts.org', 'https://fr.openfoodfacts.org.evil.net', false],
  ['https://fr.openfoodfacts.org', 'file:///etc/passwd', false],
  ['https://shop.co.uk', 'https://bank.co.uk', false],
  ['https://one.github.io', 'https://two.github.io', false],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/2', true],
  ['http://127.0.0.1:8080', 'http://127.0.0.1:9090/', false],
  ['http://127.0.0.1:8080', 'http://127.0.0.2:8080/', false],
  ['http://localhost:8080', 'http://169.254.169.254:8080/', false],
  ['http://localhost:8080', 'not an address', false],
])('a crawl of %s and the address %s: %s', (start, address, covered) => {
  expect(new Host(start).covers(address)).toBe(covered)
})

test('the browser cannot reach any other host', () => {
  expect(new Host('https://fr.openfoodfacts.org/1').resolverRules()).toBe(
    'MAP * ~NOTFOUND, EXCLUDE openfoodfacts.org, EXCLUDE *.openfoodfacts.org',
  )
  expect(new Host('http://127.0.0.1:8090').resolverRules()).toBe(
    'MAP 127.0.0.1:8090 127.0.0.1:8090, MAP * ~NOTFOUND',
  )
  expect(new Host('http://localhost').resolverRules()).toBe(
    'MAP localhost:80 localhost:80, MAP localhost:443 localhost:443, MAP * ~NOTFOUND',
  )
})
