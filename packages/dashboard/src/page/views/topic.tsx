import { computed, useSignal } from '@preact/signals'
import type { Messages, Row, Rows } from '../../wire.ts'
import { count, moment } from '../format.ts'
import { t } from '../language.ts'
import { live } from '../live.ts'
import { useLoaded } from '../load.ts'
import { FailureNotice } from '../parts/failure.tsx'
import { Heading } from '../parts/heading.tsx'
import { JsonText } from '../parts/jsonText.tsx'
import { MessageList } from '../parts/messages.tsx'

/** Changes with each message that Kafka acknowledges. */
const acknowledged = computed(() => live.value?.status.flow.acknowledged)

/** The newest messages or those of a key, and the rejected ones. */
export const TopicView = () => {
  const key = useSignal('')
  const written = useSignal('')
  const query = key.value === '' ? '' : `?key=${encodeURIComponent(key.value)}`
  const { value, failure, isLoading } = useLoaded<Messages>(
    `/api/messages${query}`,
    acknowledged,
    2_000,
  ).value
  return (
    <>
      <Heading title={t('topic.title')} intro={t('topic.intro')} />
      <form
        class="search"
        onSubmit={event => {
          event.preventDefault()
          key.value = written.value.trim()
        }}
      >
        <label class="field">
          <span>{t('topic.key')}</span>
          <input
            type="search"
            inputMode="numeric"
            value={written.value}
            onInput={({ currentTarget }) => {
              written.value = currentTarget.value
            }}
          />
        </label>
        <button type="submit">{t('topic.search')}</button>
        {key.value !== '' && (
          <button
            type="button"
            onClick={() => {
              key.value = ''
              written.value = ''
            }}
          >
            {t('topic.all')}
          </button>
        )}
      </form>
      <section aria-labelledby="messages">
        <h2 id="messages">{key.value === '' ? t('topic.newest') : t('topic.found', { key: key.value })}</h2>
        <FailureNotice failure={failure} />
        {value === null && isLoading && <p class="muted">{t('loading')}</p>}
        {value?.messages.length === 0 && <p class="muted">{t('topic.empty')}</p>}
        {value !== null && <MessageList messages={value.messages} />}
      </section>
      <Rejected />
    </>
  )
}

const Rejected = () => {
  const { value, failure } = useLoaded<Rows>('/api/rejected').value
  return (
    <section aria-labelledby="rejected">
      <h2 id="rejected">{t('topic.rejected')}</h2>
      <FailureNotice failure={failure} />
      {value?.rows.length === 0 && <p class="muted">{t('topic.noRejected')}</p>}
      {value !== null && value.rows.length > 0 && (
        <ul class="messages">
          {value.rows.map(row => (
            <RejectedMessage key={`${row['kafka_partition']}/${row['kafka_offset']}`} row={row} />
          ))}
        </ul>
      )}
    </section>
  )
}

const RejectedMessage = ({ row }: { readonly row: Row }) => (
  <li>
    <details>
      <summary>
        <span class="message-key">{row['key'] ?? t('none')}</span>
        <span class="message-name bad">{row['reason']}</span>
        <span class="message-place muted">
          {`${t('topic.partition')} ${row['kafka_partition']} · ${t('topic.offset')} ${count(Number(row['kafka_offset']))}`}
        </span>
        <time class="muted">{moment(Number(row['at']))}</time>
      </summary>
      <JsonText text={String(row['value'] ?? t('topic.delete'))} />
    </details>
  </li>
)
