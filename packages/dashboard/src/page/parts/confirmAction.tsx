import { useSignal } from '@preact/signals'
import type { Action } from '../../wire.ts'
import { t } from '../language.ts'
import { post, RequestError } from '../request.ts'
import { Dialog } from './dialog.tsx'
import { inCode } from './inCode.tsx'

/** The requested action. */
export interface ActionRequest {
  readonly name: string
  readonly action: Action
}

interface ConfirmProps {
  readonly request: ActionRequest
  readonly onClose: () => void
}

/** Confirms an action, carries it out and shows why it failed. */
export const ConfirmAction = ({ request: { name, action }, onClose }: ConfirmProps) => {
  const isRunning = useSignal(false)
  const failure = useSignal<string | null>(null)
  const run = async () => {
    isRunning.value = true
    failure.value = null
    try {
      await post(`/api/services/${name}/${action}`)
      onClose()
    } catch (error) {
      const hint = error instanceof RequestError && error.hint !== '' ? ` → ${error.hint}` : ''
      failure.value = `${error instanceof Error ? error.message : String(error)}${hint}`
    } finally {
      isRunning.value = false
    }
  }
  const restarts = action === 'restart'
  return (
    <Dialog
      title={t(restarts ? 'services.confirmRestart' : 'services.confirmStop', { name })}
      onClose={onClose}
    >
      <p class="muted">{inCode(t(restarts ? 'services.confirmRestartWhy' : 'services.confirmStopWhy'))}</p>
      <p role="status" class="failure">
        {isRunning.value ? t('services.running') : failure.value !== null && inCode(failure.value)}
      </p>
      <div class="actions">
        <button type="button" onClick={onClose}>
          {t('services.cancel')}
        </button>
        <button
          type="button"
          class={restarts ? 'primary' : 'primary danger'}
          disabled={isRunning.value}
          onClick={run}
        >
          {t(restarts ? 'services.restart' : 'services.stop')}
        </button>
      </div>
    </Dialog>
  )
}
