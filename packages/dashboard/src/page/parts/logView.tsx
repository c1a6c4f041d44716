import { signal, useSignal, useSignalEffect } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import type { LogEntry, LogLines } from '../../wire.ts'
import { moment } from '../format.ts'
import { t } from '../language.ts'
import { live } from '../live.ts'

const levels = ['error', 'warn', 'info', 'debug'] as const
/** The oldest entries are removed. */
const maxEntries = 1_000

const name = signal('products-stream')
const level = signal<string>('info')
const search = signal('')

/** Shows the log of a service, and scrolls to it. */
export const showLog = (service: string): void => {
  name.value = service
  document.getElementById('log')?.scrollIntoView()
  document.querySelector<HTMLElement>('[role="log"]')?.focus()
}

/** The log of one service, live. */
export const LogView = () => {
  const entries = useSignal<readonly LogEntry[] | null>(null)
  useSignalEffect(() => {
    const query = new URLSearchParams({ name: name.value, level: level.value, search: search.value })
    entries.value = null
    // While the user types, only the latest text is searched for.
    let source: EventSource | null = null
    const timer = setTimeout(() => {
      source = new EventSource(`/api/logs?${query}`)
      // After an interruption the server sends the last entries again.
      source.onopen = () => {
        entries.value = null
      }
      source.onmessage = ({ data }) => {
        entries.value = [...(entries.peek() ?? []), ...(JSON.parse(data) as LogLines)].slice(-maxEntries)
      }
    }, 150)
    return () => {
      clearTimeout(timer)
      source?.close()
    }
  })
  const { services, jobs } = live.value?.status ?? { services: [], jobs: [] }
  const names = live.value === null ? [name.value] : [...services, ...jobs].map(service => service.name)
  return (
    <section class="log" aria-labelledby="log">
      <div class="log-head">
        <h2 id="log">{t('log.title')}</h2>
        <Choice
          label={t('log.service')}
          value={name.value}
          values={[...names, 'daemon']}
          onChange={value => (name.value = value)}
        />
        <Choice
          label={t('log.level')}
          value={level.value}
          values={levels}
          onChange={value => (level.value = value)}
        />
        <label class="field">
          <span>{t('log.search')}</span>
          <input
            type="search"
            value={search.value}
            onInput={({ currentTarget }) => {
              search.value = currentTarget.value
            }}
          />
        </label>
      </div>
      <Entries entries={entries.value} label={t('log.label', { name: name.value })} />
    </section>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly values: readonly string[]
  readonly onChange: (value: string) => void
}

const Choice = ({ label, value, values, onChange }: ChoiceProps) => (
  <label class="field">
    <span>{label}</span>
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      {values.map(each => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  </label>
)

interface EntriesProps {
  /** Null before the first response. */
  readonly entries: readonly LogEntry[] | null
  readonly label: string
}

/** It scrolls with new entries, unless the user has scrolled up. */
const Entries = ({ entries, label }: EntriesProps) => {
  const box = useRef<HTMLDivElement>(null)
  const isAtEnd = useRef(true)
  useLayoutEffect(() => {
    if (isAtEnd.current) box.current?.scrollTo({ top: box.current.scrollHeight })
  }, [entries])
  return (
    <div
      ref={box}
      class="entries"
      role="log"
      aria-live="off"
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: without the focus the keyboard could not scroll it
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24
      }}
    >
      {entries === null && <p class="muted">{t('loading')}</p>}
      {entries?.length === 0 && <p class="muted">{t('log.empty')}</p>}
      {entries?.map(({ at, level, logger, message, stack }, index) => (
        <div key={index} class={`entry entry-${level ?? 'info'}`}>
          <span class="entry-time">{at === null ? '' : moment(at)}</span>
          <span class="entry-level">{level ?? ''}</span>
          <span class="entry-text">
            {logger !== null && <span class="entry-logger">{logger} </span>}
            {message}
            {stack.length > 0 && (
              <details>
                <summary>{stack[0]}</summary>
                <pre>{stack.join('\n')}</pre>
              </details>
            )}
          </span>
        </div>
      ))}
    </div>
  )
}
