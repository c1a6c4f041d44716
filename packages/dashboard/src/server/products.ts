import type { Hono } from 'hono'
import { z } from 'zod'
import type { ProductPage, Rows } from '../wire.ts'
import { type Queries, sqlText } from './queries.ts'

const sortColumns = [
  'observed_at',
  'code',
  'product_name',
  'brands',
  'nutriscore_grade',
  'nova_group',
  'environmental_score_grade',
] as const

const ProductsRequest = z.object({
  search: z.string().trim().max(100).default(''),
  sort: z.enum(sortColumns).default('observed_at'),
  direction: z.enum(['asc', 'desc']).default('desc'),
  page: z.coerce.number().int().min(1).max(100_000).default(1),
})

const pageSize = 50

/** The products, a page at a time. */
export const serveProducts = (app: Hono, queries: Queries): void => {
  app.get('/api/products', async context => {
    const { search, sort, direction, page } = ProductsRequest.parse(context.req.query())
    const condition = search === '' ? '' : `WHERE ${matches(search)}`
    // The code makes the order complete, so that no product is on two pages.
    const rows = await queries.rows(
      `SELECT code, product_name, brands, nutriscore_grade, nova_group, environmental_score_grade, unix_millis(observed_at) AS observed_at
FROM Products ${condition}
ORDER BY ${sort} ${direction} NULLS LAST, code
LIMIT ${pageSize} OFFSET ${(page - 1) * pageSize}`,
    )
    const [counted] = await queries.rows(`SELECT count(*) AS total FROM Products ${condition}`)
    return context.json({ rows, total: Number(counted?.['total'] ?? 0) } satisfies ProductPage)
  })

  app.get('/api/products/:code', async context => {
    const code = z.string().max(100).parse(context.req.param('code'))
    const rows = await queries.rows(`SELECT * FROM Products WHERE code = ${sqlText(code)}`)
    return context.json({ rows } satisfies Rows)
  })
}

/** A product with this text in its name or brand, or whose barcode begins with it. */
const matches = (search: string): string => {
  const text = sqlText(search.toLowerCase())
  return `contains(lower(product_name), ${text}) OR contains(lower(brands), ${text}) OR startswith(code, ${text})`
}
