import type { OffstreamError } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'

/** The fix for a missing table. The checkpoint must also be deleted, because it records that the messages were already read. */
export const refillHint =
  'refill it from the topic with `offstream down`, `offstream reset --table`, `offstream up` and `offstream submit`'

/** The error of a statement. @param message as the server sent it */
export const sqlFailed = (message: string): OffstreamError => {
  const [, dropped] = /TABLE_OR_VIEW_NOT_FOUND\].*?`lake`\.`off`\.`(products|rejected)`/s.exec(message) ?? []
  if (dropped !== undefined)
    return new PipelineError(
      'TABLE_MISSING',
      `The table \`lake.off.${dropped}\`, which the views read, was dropped`,
      { hint: refillHint },
    )
  // The server wraps its error in class names and adds its stack. The user needs only the sentence.
  const [sentence = message] = message
    .replace(/^.*?Error (operating|running query)[^:]*: /s, '')
    .replace(/^(?:\[[\w.]+\] )?[\w.$]+:\s+(?=\[[\w.]+\])/, '')
    // The plan or the stack follows the sentence. The statement with a mark under the error stays.
    .split(/\n\tat |;?(?: line \d+ pos \d+;)?\n'?\p{Lu}\w+ \[|\n\n?JVM stacktrace/u)
  return new PipelineError('SQL_FAILED', sentence.trim(), {
    hint: 'check the statement; the views are listed by `offstream query "SHOW VIEWS"`',
  })
}
