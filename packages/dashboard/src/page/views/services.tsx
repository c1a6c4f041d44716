import { signal } from '@preact/signals'
import type { JobStatus, Live, ServiceDetails, ServiceStatus } from '../../wire.ts'
import { bytes, duration } from '../format.ts'
import { t } from '../language.ts'
import { live, session } from '../live.ts'
import { type ActionRequest, ConfirmAction } from '../parts/confirmAction.tsx'
import { Heading } from '../parts/heading.tsx'
import { inCode } from '../parts/inCode.tsx'
import { LogView, showLog } from '../parts/logView.tsx'

const requested = signal<ActionRequest | null>(null)

/** A service, or a job of the user. */
type Shown = ServiceStatus | JobStatus

/** Every service and job with its usage, its log, and the actions. */
export const ServicesView = () => {
  const state = live.value
  const { mayAct = false, readOnly = false } = session.value ?? {}
  const buttons = mayAct && !readOnly
  return (
    <>
      <Heading title={t('services.title')} intro={t('services.intro')} />
      {state === null ? (
        <p class="muted">{t('loading')}</p>
      ) : (
        <ServicesTable live={state} buttons={buttons} />
      )}
      {session.value !== null && !buttons && (
        <p class="notice">{inCode(t(readOnly ? 'services.readOnly' : 'services.noToken'))}</p>
      )}
      <LogView />
      {requested.value !== null && (
        <ConfirmAction
          request={requested.value}
          onClose={() => {
            requested.value = null
          }}
        />
      )}
    </>
  )
}

const columns = ['name', 'state', 'uptime', 'restarts', 'memory', 'cpu', 'ports'] as const

const ServicesTable = ({ live, buttons }: { readonly live: Live; readonly buttons: boolean }) => (
  <table class="cards services">
    <thead>
      <tr>
        {columns.map(name => (
          <th key={name} scope="col" class={`of-${name}`}>
            {t(`services.${name}`)}
          </th>
        ))}
        <th scope="col" class="of-actions">
          <span class="visually-hidden">{t('services.actions')}</span>
        </th>
      </tr>
    </thead>
    <tbody>
      {[...live.status.services, ...live.status.jobs].map(service => (
        <ServiceRow
          key={service.name}
          service={service}
          details={live.details[service.name]}
          buttons={buttons && service.name !== 'dashboard'}
        />
      ))}
    </tbody>
  </table>
)

interface RowProps {
  readonly service: Shown
  readonly details: ServiceDetails | undefined
  readonly buttons: boolean
}

const ServiceRow = ({ service, details, buttons }: RowProps) => {
  const { name, uptimeSeconds, restarts, detail } = service
  const { word, tone } = stateOf(service)
  return (
    <tr data-service={name} data-state={word}>
      <th scope="row" class="of-name">
        {name}
        {detail !== null && <p class="detail">{inCode(detail)}</p>}
      </th>
      <td class="of-state">
        <span class={`pill pill-${tone}`}>{t(`state.${word}`)}</span>
      </td>
      <td class="number of-uptime" data-label={t('services.uptime')}>
        {duration(uptimeSeconds)}
      </td>
      <td class="number of-restarts" data-label={t('services.restarts')}>
        {restarts}
      </td>
      <td class="number of-memory" data-label={t('services.memory')}>
        {bytes(details?.memoryBytes)}
      </td>
      <td class="number of-cpu" data-label={t('services.cpu')}>
        {details?.cpuPercent == null ? t('none') : `${details.cpuPercent} %`}
      </td>
      <td class="number of-ports" data-label={t('services.ports')}>
        {details?.ports.join(', ') || t('none')}
      </td>
      <td class="of-actions">
        <Actions name={name} page={details?.page ?? null} buttons={buttons} state={service.state} />
      </td>
    </tr>
  )
}

interface ActionsProps {
  readonly name: Shown['name']
  readonly page: string | null
  readonly buttons: boolean
  readonly state: Shown['state']
}

const Actions = ({ name, page, buttons, state }: ActionsProps) => {
  const request = (action: ActionRequest['action']) => () => {
    requested.value = { name, action }
  }
  return (
    <div class="actions">
      {page !== null && (
        <a href={page} target="_blank" rel="noreferrer" aria-label={t('services.openPage', { name })}>
          Spark ↗
        </a>
      )}
      <button
        type="button"
        class="quiet"
        aria-label={t('services.logNamed', { name })}
        onClick={() => showLog(name)}
      >
        {t('services.log')}
      </button>
      {buttons && state !== 'stopped' && (
        <button
          type="button"
          class="quiet"
          aria-label={t('services.restartNamed', { name })}
          onClick={request('restart')}
        >
          {t('services.restart')}
        </button>
      )}
      {buttons && state !== 'stopped' && state !== 'completed' && (
        <button
          type="button"
          class="quiet danger"
          aria-label={t('services.stopNamed', { name })}
          onClick={request('stop')}
        >
          {t('services.stop')}
        </button>
      )}
    </div>
  )
}

/** The state in one word, as `offstream status` prints it. A service that is restarting after a crash is still red. */
const stateOf = ({ state, health, restarts }: Shown) => {
  if (state === 'running')
    return health === 'healthy'
      ? ({ word: 'healthy', tone: 'good' } as const)
      : ({ word: health === 'unhealthy' ? 'unhealthy' : 'running', tone: 'bad' } as const)
  if (state === 'external')
    return health === 'healthy'
      ? ({ word: state, tone: 'good' } as const)
      : ({ word: 'unhealthy', tone: 'bad' } as const)
  if (state === 'completed') return { word: state, tone: 'good' } as const
  if (state === 'stopped' || state === 'unused') return { word: state, tone: 'idle' } as const
  const isBad = ['exited', 'failed', 'restarting'].includes(state) || (state === 'starting' && restarts > 0)
  return { word: state, tone: isBad ? 'bad' : 'waiting' } as const
}
