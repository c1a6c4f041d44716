import type { Row, TableState } from '../../wire.ts'
import { bytes, count, moment } from '../format.ts'
import { t } from '../language.ts'
import { live } from '../live.ts'
import { useLoaded } from '../load.ts'
import { Facts } from '../parts/facts.tsx'
import { FailureNotice } from '../parts/failure.tsx'
import { Heading } from '../parts/heading.tsx'
import { Series } from '../parts/series.tsx'

const shownSnapshots = 50

/** The files of the Iceberg table, and its snapshots. */
export const TableView = () => {
  const { value, failure, isLoading } = useLoaded<TableState>('/api/table').value
  const flow = live.value?.status.flow
  const { dataFiles = null, deleteFiles = null, bytes: size = null } = value?.files ?? {}
  const snapshots = value?.snapshots ?? []
  const ascending = snapshots.toReversed()
  return (
    <>
      <Heading title={t('table.title')} intro={t('table.intro')} />
      <FailureNotice failure={failure} />
      <Facts
        facts={[
          { name: t('table.rows'), value: count(flow?.rows), raw: flow?.rows },
          { name: t('table.visible'), value: count(flow?.visible), raw: flow?.visible },
          { name: t('table.files'), value: count(dataFiles), raw: dataFiles },
          { name: t('table.deletes'), value: count(deleteFiles), raw: deleteFiles },
          { name: t('table.size'), value: bytes(size), raw: size },
        ]}
      />
      {value === null && isLoading && <p class="muted">{t('loading')}</p>}
      {value !== null && (
        <>
          <Series
            title={t('table.over')}
            shape="steps"
            times={ascending.map(({ at }) => Number(at))}
            lines={[
              {
                label: t('table.rows'),
                color: '--series-1',
                values: ascending.map(({ total }) => Number(total)),
              },
            ]}
          />
          <section aria-labelledby="snapshots">
            <h2 id="snapshots">{t('table.snapshots')}</h2>
            <Snapshots snapshots={snapshots.slice(0, shownSnapshots)} />
          </section>
        </>
      )}
    </>
  )
}

const numbers = ['added', 'removed', 'total', 'files'] as const

const Snapshots = ({ snapshots }: { readonly snapshots: readonly Row[] }) => (
  <table class="cards snapshots">
    <thead>
      <tr>
        <th scope="col">{t('table.time')}</th>
        <th scope="col">{t('table.operation')}</th>
        {numbers.map(name => (
          <th key={name} scope="col" class="number">
            {t(`snapshot.${name}`)}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {snapshots.map(snapshot => (
        <tr key={String(snapshot['id'])}>
          <th scope="row">{moment(Number(snapshot['at']))}</th>
          <td class="of-operation">{snapshot['operation']}</td>
          {numbers.map(name => (
            <td key={name} class="number" data-label={t(`snapshot.${name}`)}>
              {count(Number(snapshot[name]))}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
)
