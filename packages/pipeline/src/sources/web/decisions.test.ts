import { expect, test } from 'vitest'
import { PipelineError } from '../../errors.ts'
import { RedirectedAway, Refused, VisitError } from '../guest/visitError.ts'
import {
  decideFailure,
  decidePage,
  layoutHasChanged,
  type ReadablePage,
  readablePage,
  retryPauseMs,
  unrecognisedStart,
} from './decisions.ts'
import { ListPage, type PageContent, ProductPage } from './pages.ts'

const site = 'https://fr.openfoodfacts.org'
const address = `${site}/produit/3017620422003/nutella`
const now = new Date('2026-01-02T03:04:05.678Z')

const element = (text: string) => ({ text, children: [], attributes: {} })
const content = (
  found: Readonly<Record<string, string>>,
  products: PageContent['products'] = null,
): PageContent => ({
  address,
  found: Object.fromEntries(Object.entries(found).map(([place, text]) => [place, [element(text)]])),
  products,
})
const product = (barcode: string) => new ProductPage(content({ title: 'Nutella', barcode }))

test('a page with a valid record is delivered', () => {
  expect(decidePage(address, { kind: 'product', product: product('3017620422003') }, now)).toMatchObject({
    kind: 'deliver',
    product: { code: '3017620422003', product_name: 'Nutella', as_of: now.toISOString() },
  })
})

test('a page without a valid barcode is unrecognised', () => {
  expect(decidePage(address, { kind: 'product', product: product('none') }, now)).toEqual({
    ...{
      kind: 'unrecognised',
      skippedBy: 'no-code',
      reason: expect.stringMatching(/^the page does not contain a valid record: barcode: /),
    },
  })
})

const withTable = (...rows: readonly (readonly string[])[]) => {
  const page = content({ title: 'Nutella', barcode: '3017620422003', nutritionHead: 'for 100 g / 100 ml' })
  const nutritionRows = rows.map(children => ({ text: children.join(''), children, attributes: {} }))
  return new ProductPage({ ...page, found: { ...page.found, nutritionRows } })
}

test('a page whose nutrition table is not understood is skipped, so that null does not replace known values', () => {
  const decisions = [
    withTable(['Rasvaa', '3 g'], ['Suolaa', '1 g']),
    withTable(['Rasvaa', '3 g'], ['Salt', '1 g']),
    withTable(['Fat', '?']),
    withTable(),
  ].map(page => decidePage(address, { kind: 'product', product: page }, now))
  const delivered = { kind: 'deliver' }
  expect(decisions).toMatchObject([
    {
      ...{ kind: 'unrecognised', skippedBy: 'unknown-nutrition-table' },
      reason: 'no label of its nutrition table is known, and its record would replace known values by null',
    },
    ...[delivered, delivered, delivered],
  ])
})

test.each<readonly [what: string, page: ReadablePage, decision: object]>([
  ['the requested product is obsolete', { kind: 'obsolete', code: '3017620422003' }, { kind: 'remove' }],
  ['the requested product is unknown', { kind: 'not found', code: '3017620422003' }, { kind: 'doubt' }],
  [
    'another product is obsolete',
    { kind: 'obsolete', code: '00000042' },
    { kind: 'skip', skippedBy: 'other-product', errorAtStart: { code: 'NOT_A_SOURCE' } },
  ],
  [
    'no product is named',
    { kind: 'not found', code: null },
    { skippedBy: 'not-found', reason: 'the page does not exist on the site' },
  ],
  [
    'the product has moved to a sister site',
    { kind: 'moved', site: 'Open Beauty Facts', to: 'https://example.org/x' },
    {
      skippedBy: 'other-product-type',
      reason: 'it has moved to Open Beauty Facts: `https://example.org/x`',
      errorAtStart: { code: 'REDIRECTED_ELSEWHERE' },
    },
  ],
  ['the page is of another kind', { kind: 'unknown' }, { kind: 'unrecognised', skippedBy: 'unknown-page' }],
  [
    'the list names a product',
    {
      kind: 'list',
      list: new ListPage(content({ list: '' }, [{ code: '3017620422003', url: address }])),
    },
    { kind: 'readList', list: { products: [{ code: '3017620422003', address }], next: null } },
  ],
  [
    'the list was not rendered',
    { kind: 'list', list: new ListPage(content({ list: '' })) },
    { kind: 'failed', error: { kind: 'failed', message: 'the list was not rendered' } },
  ],
])('what to do if %s', (_what, page, decision) => {
  expect(decidePage(address, page, now)).toMatchObject(decision)
})

test('a refusal carries the pause that the site requests', () => {
  const answer = { status: 429, retryAfter: '7', content: content({}) }
  expect(() => readablePage(answer, 0)).toThrow(
    new Refused('it responded with status 429', { retryAfterMs: 7_000, isFinal: false }),
  )
  expect(() => readablePage({ ...answer, status: 500 }, 0)).toThrow(
    new VisitError('failed', 'it responded with status 500'),
  )
})

test('an unknown nutrition table at the start means another layout, and the error names the rows', () => {
  const why = { skippedBy: 'unknown-nutrition-table', reason: 'x' } as const
  expect(unrecognisedStart(address, why, false)).toMatchObject({
    code: 'LAYOUT_CHANGED',
    message: expect.stringContaining('`#panel_nutrition_facts_table_content tbody tr`'),
  })
})

test('a failed visit is repeated three times, then the page is skipped', () => {
  const error = new VisitError('failed', 'it took too long')
  const kinds = [0, 1, 2, 3].map(attempt => decideFailure(address, error, attempt).kind)
  expect(kinds).toEqual(['retry', 'retry', 'retry', 'skip'])
})

test.each<readonly [error: VisitError, code: string]>([
  [new RedirectedAway('https://example.org/'), 'REDIRECTED_ELSEWHERE'],
  [new VisitError('endless', 'it redirects more than 5 times'), 'SOURCE_BLOCKED'],
  [new VisitError('too large', 'it is larger than 8 MB'), 'RESPONSE_TOO_LARGE'],
])('a final failure is not repeated: %s', (error, code) => {
  expect(decideFailure(address, error, 0)).toMatchObject({
    ...{ kind: 'skip', reason: error.message, errorAtStart: { code } },
    skippedBy: code === 'REDIRECTED_ELSEWHERE' ? 'redirected' : 'unreadable-page',
  })
})

test('an unreachable site stops the crawl after the last attempt', () => {
  expect(decideFailure(address, new VisitError('unreachable', 'net::ERR_TIMED_OUT'), 3)).toMatchObject({
    ...{ kind: 'stop', error: { code: 'SITE_UNREACHABLE' } },
  })
})

test.each<readonly [what: string, error: unknown]>([
  ['a full disk', Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })],
  ['Kafka', new PipelineError('KAFKA_UNREACHABLE', 'Could not connect to a Kafka broker')],
  ['a bug in a record', new TypeError('x is undefined')],
])('an error that the site did not cause stops the crawl at the first attempt: %s', (_what, error) => {
  expect(decideFailure(address, error, 0)).toEqual({ kind: 'stop', error })
})

test('the pause before an attempt doubles, less a random part', () => {
  expect([0, 1, 2, 3].map(attempt => retryPauseMs(attempt, 0.5))).toEqual([0, 375, 750, 1_500])
})

test.each([
  [{ records: 5, withoutRecord: 9 }, false, false],
  [{ records: 5, withoutRecord: 10 }, false, true],
  [{ records: 0, withoutRecord: 3 }, false, false],
  [{ records: 0, withoutRecord: 3 }, true, true],
  [{ records: 0, withoutRecord: 2 }, true, false],
  [{ records: 1, withoutRecord: 3 }, true, false],
])('the layout with %o, finished %s, has changed: %s', (tally, isFinished, expected) => {
  expect(layoutHasChanged(tally, isFinished)).toBe(expected)
})

test('an unrecognised start address means another layout only if it had products before', () => {
  const why = { skippedBy: 'unknown-page', reason: 'x' } as const
  expect([true, false].map(hadProducts => unrecognisedStart(address, why, hadProducts).code)).toEqual([
    'LAYOUT_CHANGED',
    'NOT_A_SOURCE',
  ])
})
