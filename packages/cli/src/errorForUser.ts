import { PipelineError } from '@offstream/pipeline/errors'
import { DeadlineError } from '@offstream/runtime'
import { fileErrorOf } from '@offstream/runtime/errors'

/**
 * The error to print: what the system reports about a file, and a wait that reached its deadline, are not bugs in
 * offstream. Other errors are returned as they are.
 */
export const errorForUser = (error: unknown): unknown => {
  if (!(error instanceof DeadlineError)) return fileErrorOf(error) ?? error
  const message = error.message.charAt(0).toUpperCase() + error.message.slice(1)
  return new PipelineError('WAIT_TIMEOUT', message, { cause: error })
}
