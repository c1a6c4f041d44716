import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { duration } from './format.ts'
import { language, switchLanguage, t } from './language.ts'
import { isConnected, live, session } from './live.ts'
import { Link, route } from './router.tsx'
import { ChartsView } from './views/charts.tsx'
import { PipelineView } from './views/pipeline.tsx'
import { ProductsView } from './views/products.tsx'
import { ServicesView } from './views/services.tsx'
import { StreamView } from './views/stream.tsx'
import { TableView } from './views/table.tsx'
import { TopicView } from './views/topic.tsx'

interface View {
  readonly name: 'pipeline' | 'services' | 'topic' | 'stream' | 'table' | 'products' | 'charts'
  readonly path: string
  readonly component: ComponentType
}

const views: readonly View[] = [
  { name: 'pipeline', path: '', component: PipelineView },
  { name: 'services', path: 'services', component: ServicesView },
  { name: 'topic', path: 'topic', component: TopicView },
  { name: 'stream', path: 'stream', component: StreamView },
  { name: 'table', path: 'table', component: TableView },
  { name: 'products', path: 'products', component: ProductsView },
  { name: 'charts', path: 'charts', component: ChartsView },
]

/** The frame of every view: navigation, state of the stack, language. */
export const Shell = () => {
  const [first = ''] = route.value
  const view = views.find(({ path }) => path === first) ?? views[0]
  if (view === undefined) return null
  document.title = `${t(`nav.${view.name}`)} · offstream`
  const Content = view.component
  return (
    <div class="shell" key={language.value}>
      <a class="skip" href="#content">
        {t('nav.skip')}
      </a>
      <header class="bar">
        <Link to="/" class="brand">
          <Mark />
          <span>offstream</span>
        </Link>
        <StackState />
        <Navigation current={view} />
        <button type="button" class="quiet language" lang={t('language.code')} onClick={switchLanguage}>
          {t('language')}
        </button>
      </header>
      <main id="content">
        <Disconnected />
        <Content />
      </main>
    </div>
  )
}

const Navigation = ({ current }: { readonly current: View }) => {
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a narrow screen, the links are in one line that scrolls.
    nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
  }, [current])
  return (
    <nav ref={nav} aria-label={t('nav.label')}>
      {views.map(({ name, path }) => (
        <Link key={name} to={`/${path}`} current={path === current.path}>
          {t(`nav.${name}`)}
        </Link>
      ))}
    </nav>
  )
}

const Mark = () => (
  <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
    <path d="M3 7c6 0 6 10 12 10h6M3 17c6 0 6-10 12-10h6" />
  </svg>
)

/** The state as `offstream status` prints it, in a word. */
const StackState = () => {
  const state = live.value?.status.state ?? 'unknown'
  return (
    <p class={`state state-${state}`} title={session.value?.project}>
      <span class="dot" aria-hidden="true" />
      <span data-stack={state}>{t(`stack.${state}`)}</span>
    </p>
  )
}

const now = signal(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 1_000)

/** A message if the server does not respond, because the numbers of the page are then outdated. */
const Disconnected = () => {
  const at = live.value?.at
  if (isConnected.value || at === undefined) return null
  const ago = duration((now.value - at) / 1_000)
  return (
    <p class="notice bad" role="status">
      {t('connection.lost', { ago })}
    </p>
  )
}
