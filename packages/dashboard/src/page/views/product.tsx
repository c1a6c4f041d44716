import { computed } from '@preact/signals'
import type { Messages, Row, Rows } from '../../wire.ts'
import { t } from '../language.ts'
import { useLoaded } from '../load.ts'
import { GreenScore, Nova, NutriScore } from '../parts/badges.tsx'
import { FailureNotice } from '../parts/failure.tsx'
import { Heading } from '../parts/heading.tsx'
import { MessageList } from '../parts/messages.tsx'
import { Link } from '../router.tsx'

/** One product: its fields, links to its pictures, and its messages. */
export const ProductView = ({ code }: { readonly code: string }) => {
  const { value, failure, isLoading } = useLoaded<Rows>(`/api/products/${encodeURIComponent(code)}`).value
  const [row] = value?.rows ?? []
  return (
    <>
      <div class="below-link">
        <Link to="/products">← {t('product.back')}</Link>
        <Heading title={row === undefined ? code : String(row['product_name'] ?? t('products.unnamed'))} />
      </div>
      <FailureNotice failure={failure} />
      {value === null && isLoading && <p class="muted">{t('loading')}</p>}
      {value !== null && row === undefined && <p class="notice">{t('product.missing', { code })}</p>}
      {row !== undefined && <Record row={row} />}
      <ProductMessages code={code} />
    </>
  )
}

const Record = ({ row }: { readonly row: Row }) => (
  <>
    <dl class="scores">
      <div>
        <dt>{t('products.nutriscore')}</dt>
        <dd>
          <NutriScore grade={row['nutriscore_grade']} />
        </dd>
      </div>
      <div>
        <dt>{t('products.nova')}</dt>
        <dd>
          <Nova grade={row['nova_group']} />
        </dd>
      </div>
      <div>
        <dt>{t('products.green')}</dt>
        <dd>
          <GreenScore grade={row['environmental_score_grade']} />
        </dd>
      </div>
    </dl>
    <p class="links">
      <Outside address={row['image_url']} word="product.image" />
      <Outside address={row['url']} word="product.source" />
    </p>
    <section aria-labelledby="fields">
      <h2 id="fields">{t('product.fields')}</h2>
      <dl class="record">
        {Object.entries(row).map(([name, value]) =>
          value === null ? null : (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>{String(value)}</dd>
            </div>
          ),
        )}
      </dl>
    </section>
  </>
)

interface OutsideProps {
  readonly address: Row[string] | undefined
  readonly word: 'product.image' | 'product.source'
}

/** A link to another host: the browser requests it only if the user follows it. */
const Outside = ({ address, word }: OutsideProps) => {
  if (typeof address !== 'string' || !/^https?:\/\//.test(address) || !URL.canParse(address)) return null
  return (
    <a href={address} target="_blank" rel="noreferrer noopener">
      {t(word, { host: new URL(address).host })}
      {'\u00a0'}↗
    </a>
  )
}

/** A search reads the whole topic, so it is not repeated with each message. */
const never = computed(() => null)

const ProductMessages = ({ code }: { readonly code: string }) => {
  const { value, failure, isLoading } = useLoaded<Messages>(
    `/api/messages?key=${encodeURIComponent(code)}`,
    never,
  ).value
  return (
    <section aria-labelledby="history">
      <h2 id="history">{t('product.history')}</h2>
      <FailureNotice failure={failure} />
      {value === null && isLoading && <p class="muted">{t('loading')}</p>}
      {value?.messages.length === 0 && <p class="muted">{t('topic.empty')}</p>}
      {value !== null && <MessageList messages={value.messages} />}
    </section>
  )
}
