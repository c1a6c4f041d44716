import type { Loaded } from '../load.ts'
import { inCode } from './inCode.tsx'

/** Why something could not be loaded, and what to do. */
export const FailureNotice = ({ failure }: Pick<Loaded<unknown>, 'failure'>) =>
  failure === null ? null : (
    <p class="notice bad" role="alert">
      {inCode(failure.message)}
      {failure.hint !== '' && <> → {inCode(failure.hint)}</>}
    </p>
  )
