import type { StreamBatch } from '../../wire.ts'
import { count, milliseconds, moment } from '../format.ts'
import { t } from '../language.ts'
import { batches, live } from '../live.ts'
import { Facts } from '../parts/facts.tsx'
import { Heading } from '../parts/heading.tsx'
import { stageNames, stagesOf, totalOf } from '../stages.ts'

const shown = 100

/** The job: its state, its position and its last batches. */
export const StreamView = () => {
  const state = live.value
  const stream = state?.stream
  const last = batches.value?.slice(-shown).toReversed()
  const service = state?.status.services.find(({ name }) => name === 'products-stream')
  const isHealthy = service?.health === 'healthy'
  return (
    <>
      <Heading title={t('stream.title')} intro={t('stream.intro')} />
      <Facts
        facts={[
          {
            name: t('stream.state'),
            value: service === undefined ? t('unknown') : t(`state.${isHealthy ? 'healthy' : service.state}`),
            isBad: service !== undefined && !isHealthy && service.state !== 'stopped',
          },
          { name: t('stream.lag'), value: count(state?.status.flow.lag), raw: state?.status.flow.lag },
          {
            name: t('stream.position'),
            value: positionText(stream?.offsets ?? {}),
          },
          { name: t('stream.last'), value: milliseconds(stream?.triggerMs), raw: stream?.triggerMs },
        ]}
      />
      {stream?.error != null && (
        <p class="notice bad">
          <strong>{t('stream.error')}</strong> {stream.error}
        </p>
      )}
      {stream?.upkeepError != null && (
        <p class="notice bad">
          <strong>{t('stream.upkeep')}</strong> {stream.upkeepError}
        </p>
      )}
      <section aria-labelledby="batches">
        <div class="log-head">
          <h2 id="batches">{t('stream.batches')}</h2>
          <Legend />
        </div>
        {last === undefined && <p class="muted">{t('loading')}</p>}
        {last?.length === 0 && <p class="muted">{t('stream.empty')}</p>}
        {last !== undefined && last.length > 0 && (
          <BatchTable batches={last} longest={Math.max(1, ...last.map(totalOf))} />
        )}
      </section>
    </>
  )
}

/** The next offset of each partition. */
const positionText = (offsets: Readonly<Record<string, number>>): string => {
  const positions = Object.entries(offsets)
  if (positions.length === 1) return count(positions[0]?.[1])
  return positions.map(([partition, offset]) => `${partition}: ${count(offset)}`).join(', ') || t('none')
}

const Legend = () => (
  <p class="legend batch-legend small">
    {stageNames.map((name, index) => (
      <span key={name}>
        <i class={`swatch swatch-${index + 1}`} aria-hidden="true" />
        {t(`stage.${name}`)}
      </span>
    ))}
  </p>
)

interface BatchTableProps {
  readonly batches: readonly StreamBatch[]
  /** The duration of the longest batch, which has the widest bar. */
  readonly longest: number
}

const BatchTable = ({ batches, longest }: BatchTableProps) => (
  <table class="batches">
    <thead>
      <tr>
        <th scope="col">{t('stream.batch')}</th>
        <th scope="col">{t('stream.started')}</th>
        <th scope="col" class="number">
          {t('stream.rows')}
        </th>
        <th scope="col" class="number of-duration">
          {t('stream.duration')}
        </th>
        <th scope="col" class="of-stages">
          {t('stream.stages')}
        </th>
      </tr>
    </thead>
    <tbody>
      {batches.map(batch => (
        <tr key={batch.at}>
          <th scope="row">{count(batch.batchId)}</th>
          <td>{moment(batch.at)}</td>
          <td class="number">{count(batch.rows)}</td>
          <td class="number of-duration">{milliseconds(totalOf(batch))}</td>
          <td class="of-stages">
            <Bar batch={batch} longest={longest} />
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

const Bar = ({ batch, longest }: { readonly batch: StreamBatch; readonly longest: number }) => {
  const stages = stagesOf(batch)
  const text = stageNames.map(name => `${t(`stage.${name}`)} ${milliseconds(stages[name])}`).join(', ')
  let start = 0
  return (
    <svg class="stages" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label={text}>
      <title>{text}</title>
      {stageNames.map((name, index) => {
        const width = (stages[name] / longest) * 100
        const x = start
        start += width
        return <rect key={name} class={`stage-${index + 1}`} x={x} width={width} height="8" />
      })}
    </svg>
  )
}
