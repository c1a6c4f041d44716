import { join } from 'node:path'
import { type Config, numberAt, portPaths } from '@offstream/pipeline'
/** What a call of the command printed, and its exit status. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | undefined
}

/**
 * The outcome as text for snapshots: standard output, standard error with a `!` before each line, and the exit status.
 * Ports, pids, paths and times are replaced by placeholders. Runs of blanks become two, because the width of a column
 * depends on its values.
 */
export const shown = ({ stdout, stderr, exitCode }: Outcome, scratch: string, config: Config): string => {
  const streams = [
    ['', stdout],
    ['! ', stderr],
  ] as const
  const lines = streams.flatMap(([sign, text]) =>
    text === '' ? [] : text.split('\n').map(line => `${sign}${masked(line, scratch, config)}`.trimEnd()),
  )
  return [...lines, `exit ${exitCode}`].join('\n')
}

const masked = (line: string, scratch: string, config: Config): string => {
  const named = portPaths.reduce(
    (text, path) => text.replaceAll(new RegExp(`(?<!\\d)${numberAt(config, path)}(?!\\d)`, 'g'), `<${path}>`),
    line.replaceAll(join(scratch, 'project'), '<project>').replaceAll(scratch, '<scratch>'),
  )
  return named
    .replace(/\b127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/\bpid \d+/g, 'pid <pid>')
    .replace(/\b\d+(\.\d+)? (ms|s|min|h|d)( \d+ (s|min|h))?(?!\w)/g, '<time>')
    .replace(/\b\d+(\.\d+)? a (second|minute)/g, '<rate>')
    .replace(/(?<=\S) {2,}/g, '  ')
}
