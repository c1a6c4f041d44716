import type { PeekedMessage } from '../../wire.ts'
import { count, moment } from '../format.ts'
import { t } from '../language.ts'
import { JsonText } from './jsonText.tsx'

/** Messages of the topic, each with its JSON and headers on request. */
export const MessageList = ({ messages }: { readonly messages: readonly PeekedMessage[] }) => (
  <ul class="messages">
    {messages.map(message => (
      <li key={`${message.partition}/${message.offset}`} data-offset={message.offset}>
        <details>
          <summary>
            <span class="message-key">{message.key ?? t('none')}</span>
            <Name message={message} />
            <span class="message-place muted">
              {`${t('topic.partition')} ${message.partition} · ${t('topic.offset')} ${count(message.offset)}`}
            </span>
            <time class="muted" dateTime={message.timestamp}>
              {moment(message.timestamp)}
            </time>
          </summary>
          {Object.keys(message.headers).length > 0 && (
            <p class="muted small">
              {t('topic.headers')}:{' '}
              {Object.entries(message.headers)
                .map(([name, value]) => `${name}=${value}`)
                .join(', ')}
            </p>
          )}
          <JsonText text={valueText(message.value)} />
        </details>
      </li>
    ))}
  </ul>
)

const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 2)

const Name = ({ message: { value } }: { readonly message: PeekedMessage }) => {
  const name = typeof value === 'object' && value !== null ? Reflect.get(value, 'product_name') : null
  return typeof name === 'string' ? (
    <span class="message-name">{name}</span>
  ) : (
    <span class="message-name muted">{value === null ? t('topic.delete') : t('products.unnamed')}</span>
  )
}
