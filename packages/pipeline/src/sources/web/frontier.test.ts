import { expect, test } from 'vitest'
import { Frontier } from './frontier.ts'

const products = (...codes: string[]) => codes.map(code => ({ code, address: `/product/${code}` }))
const codesOf = (taken: readonly { readonly code: string }[]) => taken.map(({ code }) => code)

test('each product is taken once, whichever list names it', () => {
  const frontier = new Frontier({})
  frontier.addList({ products: products('1', '2'), next: '/2' })
  expect(codesOf(frontier.takeProducts())).toEqual(['1', '2'])
  frontier.addList({ products: products('2', '3'), next: '/3' })
  expect(codesOf(frontier.takeProducts())).toEqual(['3'])
  expect(frontier.takeProducts()).toEqual([])
})

test('the limit holds for all products together, and a skipped product is replaced', () => {
  const frontier = new Frontier({ limit: 3, delivered: 1 })
  frontier.addList({ products: products('1', '2', '3', '4'), next: '/2' })
  expect(codesOf(frontier.takeProducts())).toEqual(['1', '2'])
  expect([frontier.takeProducts(), frontier.takeList()]).toEqual([[], null])
  frontier.release()
  expect(codesOf(frontier.takeProducts())).toEqual(['3'])
  frontier.release()
  expect(frontier.takeList()).toBe('/2')
})

test('a product that the resumed crawl has delivered is not taken', () => {
  const frontier = new Frontier({ isDone: ({ code }) => code === '1' })
  frontier.addProduct({ code: '1', address: '/product/1' })
  frontier.addList({ products: products('1', '2'), next: null })
  expect(codesOf(frontier.takeProducts())).toEqual(['2'])
})

test('a page of the list is taken once, up to the maximum number of pages', () => {
  const frontier = new Frontier({ pages: 2 })
  frontier.startAtList('/')
  expect([frontier.takeList(), frontier.takeList()]).toEqual(['/', null])
  frontier.addList({ products: products('1'), next: '/2' })
  expect(frontier.takeList()).toBe('/2')
  frontier.addList({ products: products('2'), next: '/3' })
  expect(frontier.takeList()).toBe(null)
})

test.each([
  ['names nothing new', { products: products('1'), next: '/3' }],
  ['leads back to a page that was read', { products: products('2'), next: '/' }],
])('a list ends with the page that %s', (_what, second) => {
  const frontier = new Frontier({})
  frontier.startAtList('/')
  frontier.takeList()
  frontier.addList({ products: products('1'), next: '/2' })
  frontier.takeList()
  frontier.addList(second)
  expect(frontier.takeList()).toBe(null)
})
