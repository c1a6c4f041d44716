import type { ComponentChildren } from 'preact'

/** A number or a word of a view, with its name. */
export interface Fact {
  readonly name: string
  readonly value: ComponentChildren
  /** For tests and scripts: the number itself. */
  readonly raw?: number | null | undefined
  readonly isBad?: boolean
}

/** The numbers of a view, large. */
export const Facts = ({ facts }: { readonly facts: readonly Fact[] }) => (
  <dl class="facts">
    {facts.map(({ name, value, raw, isBad = false }) => (
      <div key={name} class={isBad ? 'fact-bad' : ''}>
        <dt>{name}</dt>
        <dd data-value={raw ?? undefined}>{value}</dd>
      </div>
    ))}
  </dl>
)
