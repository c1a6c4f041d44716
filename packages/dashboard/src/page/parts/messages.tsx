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
            <span class="message-name">{nameOf(message)}</span>
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

const nameOf = ({ value }: PeekedMessage): string => {
  if (value === null) return t('topic.delete')
  if (typeof value === 'object' && 'product_name' in value) return String(value.product_name ?? '')
  return ''
}
