import { join } from 'node:path'
import { type Config, numberAt, portPaths } from '@offstream/pipeline'
import type { Ran } from './stack.ts'

/**
 * A call as a snapshot wants it: standard output, standard error with a `!` before each line, and the exit status, with
 * what is another each time replaced by what it is. Of several blanks in a row two are left: columns are as wide as
 * what stands in them.
 */
export const shown = (
  { stdout, stderr, exitCode }: Omit<Ran, 'shown'>,
  scratch: string,
  config: Config,
): string => {
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
