import { useSignal } from '@preact/signals'
import type { ChartList } from '../../wire.ts'
import { t } from '../language.ts'
import { tableVersion, useLoaded } from '../load.ts'
import { FailureNotice } from '../parts/failure.tsx'
import { Heading } from '../parts/heading.tsx'
import { isDark } from '../parts/media.ts'

/** Each chart is a query of the whole table. */
const intervalMs = 20_000

/** The charts, which the server draws. */
export const ChartsView = () => {
  const { value, failure, isLoading } = useLoaded<ChartList>('/api/charts', tableVersion, intervalMs).value
  return (
    <>
      <Heading title={t('charts.title')} intro={t('charts.intro')} />
      <FailureNotice failure={failure} />
      {value === null && isLoading && <p class="muted">{t('loading')}</p>}
      {value?.charts.length === 0 && <p class="muted">{t('charts.empty')}</p>}
      <div class="charts">
        {value?.charts.map(({ name, title }) => (
          <ChartFigure key={name} name={name} title={title} version={value.version} />
        ))}
      </div>
    </>
  )
}

interface ChartProps {
  readonly name: string
  readonly title: string
  readonly version: number
}

const ChartFigure = ({ name, title, version }: ChartProps) => {
  const failed = useSignal('')
  const address = `/charts/${encodeURIComponent(name)}?theme=${isDark.value ? 'dark' : 'light'}&version=${version}`
  return (
    <figure class="chart" data-chart={name}>
      {failed.value === address ? (
        <p class="muted">
          {title}: {t('charts.failed')}
        </p>
      ) : (
        <a href={address} target="_blank" rel="noreferrer">
          <img
            src={address}
            alt={title}
            onError={() => {
              failed.value = address
            }}
          />
        </a>
      )}
    </figure>
  )
}
