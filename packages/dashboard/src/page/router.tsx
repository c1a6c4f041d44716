import { computed, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'

const path = signal(location.pathname)

addEventListener('popstate', () => {
  path.value = location.pathname
})

/** The parts of the address: `/products/123` is `['products', '123']`. */
export const route = computed(() =>
  path.value
    .split('/')
    .filter(part => part !== '')
    .map(decodeURIComponent),
)

/** Shows another view without loading the page. */
const go = (address: string): void => {
  history.pushState(null, '', address)
  path.value = location.pathname
  scrollTo(0, 0)
  // A screen reader continues at the new view.
  requestAnimationFrame(() => document.querySelector<HTMLElement>('h1')?.focus())
}

interface LinkProps {
  readonly to: string
  readonly children: ComponentChildren
  readonly current?: boolean
  readonly class?: string
}

/** A link to a view. Ctrl and the middle button open it in a tab, like any link. */
export const Link = ({ to, children, current = false, class: name }: LinkProps) => (
  <a
    href={to}
    class={name}
    aria-current={current ? 'page' : undefined}
    onClick={event => {
      if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      go(to)
    }}
  >
    {children}
  </a>
)
