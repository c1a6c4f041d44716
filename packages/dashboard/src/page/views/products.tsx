import { signal } from '@preact/signals'
import type { ProductPage, Row } from '../../wire.ts'
import { count, moment } from '../format.ts'
import { t } from '../language.ts'
import { useLoaded } from '../load.ts'
import { GreenScore, Nova, NutriScore } from '../parts/badges.tsx'
import { FailureNotice } from '../parts/failure.tsx'
import { Heading } from '../parts/heading.tsx'
import { Link, route } from '../router.tsx'
import { ProductView } from './product.tsx'

const pageSize = 50

/** The columns, by their names in the table and in the texts. */
const columns = [
  { sort: 'product_name', word: 'name' },
  { sort: 'brands', word: 'brands' },
  { sort: 'nutriscore_grade', word: 'nutriscore' },
  { sort: 'nova_group', word: 'nova' },
  { sort: 'environmental_score_grade', word: 'green' },
  { sort: 'observed_at', word: 'observed' },
  { sort: 'code', word: 'code' },
] as const

const search = signal('')
const sort = signal<(typeof columns)[number]['sort']>('observed_at')
const direction = signal<'asc' | 'desc'>('desc')
const page = signal(1)

/** The products of the table, or one of them. */
export const ProductsView = () => {
  const code = route.value[1]
  return code === undefined ? <ProductList /> : <ProductView key={code} code={code} />
}

const ProductList = () => {
  const query = new URLSearchParams({
    search: search.value,
    sort: sort.value,
    direction: direction.value,
    page: String(page.value),
  })
  const { value, failure, isLoading } = useLoaded<ProductPage>(`/api/products?${query}`).value
  return (
    <>
      <Heading title={t('products.title')} intro={t('products.intro')} />
      <div class="search">
        <label class="field wide-field">
          <span>{t('products.search')}</span>
          <input
            type="search"
            value={search.value}
            onInput={({ currentTarget }) => {
              search.value = currentTarget.value
              page.value = 1
            }}
          />
        </label>
        <p class="muted" role="status" data-total={value?.total}>
          {value === null ? t('loading') : t('products.count', { count: count(value.total) })}
        </p>
      </div>
      <FailureNotice failure={failure} />
      {value !== null && value.rows.length === 0 && <p class="muted">{t('products.empty')}</p>}
      {value !== null && value.rows.length > 0 && (
        <>
          <ProductTable rows={value.rows} isLoading={isLoading} />
          <Pages pages={Math.ceil(value.total / pageSize)} />
        </>
      )}
    </>
  )
}

const ProductTable = ({
  rows,
  isLoading,
}: {
  readonly rows: readonly Row[]
  readonly isLoading: boolean
}) => (
  <table class="products" aria-busy={isLoading}>
    <thead>
      <tr>
        {columns.map(({ sort: column, word }) => (
          <th
            key={column}
            scope="col"
            class={`of-${word}`}
            aria-sort={
              sort.value === column ? (direction.value === 'asc' ? 'ascending' : 'descending') : undefined
            }
          >
            <button type="button" class="quiet" onClick={() => sortBy(column)}>
              {t(`products.${word}`)}
              <span aria-hidden="true" class="arrow">
                {sort.value === column ? (direction.value === 'asc' ? '↑' : '↓') : ''}
              </span>
            </button>
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {rows.map(row => (
        <tr key={String(row['code'])} data-code={row['code']}>
          <th scope="row" class="of-name">
            <Link to={`/products/${row['code']}`}>{row['product_name'] ?? t('products.unnamed')}</Link>
          </th>
          <td class="of-brands">{row['brands'] ?? ''}</td>
          <td class="of-nutriscore">
            <NutriScore grade={row['nutriscore_grade']} />
          </td>
          <td class="of-nova">
            <Nova grade={row['nova_group']} />
          </td>
          <td class="of-green">
            <GreenScore grade={row['environmental_score_grade']} />
          </td>
          <td class="of-observed muted">{moment(Number(row['observed_at']))}</td>
          <td class="of-code muted">{row['code']}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

/** Sorts by a column, or in the other direction if it is sorted by it. */
const sortBy = (column: (typeof columns)[number]['sort']): void => {
  const isSame = sort.value === column
  direction.value = isSame && direction.value === 'asc' ? 'desc' : 'asc'
  sort.value = column
  page.value = 1
}

const Pages = ({ pages }: { readonly pages: number }) => (
  <nav class="pages" aria-label={t('products.page', { page: page.value })}>
    <button
      type="button"
      disabled={page.value <= 1}
      onClick={() => {
        page.value -= 1
      }}
    >
      {t('products.previous')}
    </button>
    <span class="muted">{t('products.pageOf', { page: count(page.value), pages: count(pages) })}</span>
    <button
      type="button"
      disabled={page.value >= pages}
      onClick={() => {
        page.value += 1
      }}
    >
      {t('products.next')}
    </button>
  </nav>
)
