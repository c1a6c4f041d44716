import { count } from '../format.ts'
import { t } from '../language.ts'
import { live } from '../live.ts'
import { Diagram } from '../parts/diagram.tsx'
import { Heading } from '../parts/heading.tsx'
import { HourSeries } from '../parts/hourSeries.tsx'

/** The path of the products, and the last hour. */
export const PipelineView = () => {
  const state = live.value
  const problems = (state?.hops ?? []).flatMap(({ name, state, reason }) =>
    reason === null || state === 'ok' ? [] : [{ name, state, reason }],
  )
  return (
    <>
      <Heading title={t('pipeline.title')} intro={t('pipeline.intro')} />
      {state === null ? <p class="muted">{t('loading')}</p> : <Diagram live={state} />}
      {problems.length > 0 && (
        <section aria-labelledby="problems">
          <h2 id="problems">{t('pipeline.problems')}</h2>
          <ul class="problems">
            {problems.map(({ name, state, reason }) => (
              <li key={name} class={`problem-${state}`} data-problem={name}>
                <strong>{t(`hop.${name}`)}</strong> {reason}
              </li>
            ))}
          </ul>
        </section>
      )}
      <section aria-labelledby="hour">
        <h2 id="hour">{t('pipeline.hour')}</h2>
        <HourSeries />
      </section>
      <p class="visually-hidden" aria-live="polite">
        {state !== null && `${t(`stack.${state.status.state}`)}, ${count(state.status.flow.visible)}`}
      </p>
    </>
  )
}
