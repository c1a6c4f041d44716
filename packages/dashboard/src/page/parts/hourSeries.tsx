import { computed } from '@preact/signals'
import { t } from '../language.ts'
import { hourOfBatches, points } from '../live.ts'
import { stageNames, stagesOf } from '../stages.ts'
import { Series } from './series.tsx'

const times = computed(() => points.value.map(({ at }) => at))
const batchTimes = computed(() => hourOfBatches.value.map(({ at }) => Date.parse(at)))
const stages = computed(() => hourOfBatches.value.map(stagesOf))

/** Events, lag, batches and freshness of the last hour. */
export const HourSeries = () => {
  const values = points.value
  return (
    <div class="series-grid">
      <Series
        title={t('series.events')}
        times={times.value}
        lines={[
          { label: t('series.arrived'), color: '--series-2', values: values.map(({ arrived }) => arrived) },
          {
            label: t('series.consumed'),
            color: '--series-1',
            values: values.map(({ consumed }) => consumed),
          },
        ]}
      />
      <Series
        title={t('series.lag')}
        times={times.value}
        lines={[{ label: t('stream.lag'), color: '--series-1', values: values.map(({ lag }) => lag) }]}
      />
      <Series
        title={t('series.batch')}
        times={batchTimes.value}
        scale="milliseconds"
        shape="bars"
        lines={stageNames.map((name, index) => ({
          label: t(`stage.${name}`),
          color: `--series-${index + 1}`,
          values: stages.value.map(stage => stage[name]),
        }))}
      />
      <Series
        title={t('series.freshness')}
        times={times.value}
        scale="seconds"
        lines={[
          {
            label: t('series.freshness'),
            color: '--series-1',
            values: values.map(({ freshness }) => freshness),
          },
        ]}
      />
    </div>
  )
}
