import { type ReadonlySignal, signal } from '@preact/signals'

/** Whether a media query matches now. */
const matching = (query: string): ReadonlySignal<boolean> => {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', () => {
    matches.value = list.matches
  })
  return matches
}

export const isNarrow = matching('(max-width: 760px)')
export const isDark = matching('(prefers-color-scheme: dark)')
