import { stripVTControlCharacters } from 'node:util'
import { OffstreamError } from '@offstream/runtime'
import { expect, test, vi } from 'vitest'
import { modeFor, Output, type OutputMode, table } from './output.ts'

const terminal = { isTTY: true } as NodeJS.WriteStream
const pipe = { isTTY: false } as NodeJS.WriteStream

test.each<[string, OutputMode, boolean, NodeJS.WriteStream, NodeJS.ProcessEnv]>([
  ['on a terminal', 'terminal', false, terminal, { TERM: 'xterm' }],
  ['in a pipe', 'plain', false, pipe, {}],
  ['in CI', 'plain', false, terminal, { CI: 'true' }],
  ['on a dumb terminal', 'plain', false, terminal, { TERM: 'dumb' }],
  ['on a terminal without a width', 'plain', false, { isTTY: true, columns: 0 } as NodeJS.WriteStream, {}],
  ['with --json', 'json', true, terminal, {}],
])('%s the output mode is %s', (_, mode, json, stream, environment) => {
  expect(modeFor(json, stream, environment)).toBe(mode)
})

test.each([
  ['1', '', 0],
  ['1', '1', 1],
  ['', '', 1],
])('with NO_COLOR=%s and FORCE_COLOR=%s the color level is %i', async (noColor, forceColor, level) => {
  vi.stubEnv('NO_COLOR', noColor)
  vi.stubEnv('FORCE_COLOR', forceColor)
  vi.resetModules()
  const { default: chalk } = await import('chalk')
  const before = chalk.level
  chalk.level = 1
  await import('./output.ts')
  expect(chalk.level).toBe(level)
  chalk.level = before
  vi.unstubAllEnvs()
})

/** What `print` writes to each stream, without colors. */
const written = (mode: OutputMode, print: (output: Output) => void): [stdout: string, stderr: string] => {
  const streams = [process.stdout, process.stderr].map(stream => {
    let text = ''
    const spy = vi.spyOn(stream, 'write').mockImplementation(chunk => {
      text += stripVTControlCharacters(String(chunk))
      return true
    })
    return { text: () => text, end: () => spy.mockRestore() }
  })
  try {
    print(new Output(mode))
    return [streams[0]?.text() ?? '', streams[1]?.text() ?? '']
  } finally {
    for (const stream of streams) stream.end()
  }
}

const everything = (output: Output): void => {
  output.live('in progress')
  output.event({ kind: 'step' }, 'a step')
  output.note('a note')
  output.data('a record')
  output.result({ kind: 'end' }, () => 'the end')
}

test('in plain mode data goes to standard output and everything else to standard error', () => {
  expect(written('plain', everything)).toEqual(['a record\nthe end\n', 'a step\na note\n'])
})

test('in JSON mode events and the result are objects on standard output, and nothing else is printed', () => {
  expect(written('json', everything)).toEqual([
    '{"version":1,"kind":"step"}\na record\n{"version":1,"kind":"end"}\n',
    '',
  ])
})

const hiveError = new OffstreamError('BEES_AWAY', 'The hive is empty', {
  outcome: 'failed',
  hint: 'call them back with `hive --bees`',
  lastLogLines: ['buzz', 'bzz'],
  cause: new Error('it is winter'),
})

test('an error is printed with its code, the last log lines and the next step', () => {
  expect(written('plain', output => output.error(hiveError, false))).toEqual([
    '',
    '✖ The hive is empty [BEES_AWAY]\n  │ buzz\n  │ bzz\n→ call them back with `hive --bees`\n',
  ])
  expect(written('json', output => output.error(hiveError, false))).toEqual([
    `${JSON.stringify({ version: 1, error: { code: 'BEES_AWAY', message: 'The hive is empty', hint: 'call them back with `hive --bees`', lastLogLines: ['buzz', 'bzz'] } })}\n`,
    '',
  ])
})

test('--verbose prints the cause of an error', () => {
  const [, stderr] = written('plain', output => output.error(hiveError, true))
  expect(stderr).toContain('Error: it is winter\n    at ')
})

test('control characters from outside do not reach the terminal', () => {
  const evil = '\u001b[2Jgone\u0007 \u009b31m'
  const error = new OffstreamError('BEES_AWAY', `first ${evil}\nsecond`, {
    ...{ outcome: 'failed', hint: `try ${evil}`, lastLogLines: [evil] },
    cause: new Error(evil),
  })
  const raw = rawlyWritten(output => {
    output.error(error, true)
    output.error(new TypeError(evil), false)
  })
  expect(raw).toContain('first gone')
  expect(raw).toContain('\nsecond ')
  // Standard error is not a terminal here, so our own colors are off.
  expect(raw.match(/(?!\n)\p{Cc}/gu)).toBeNull()
  const [json] = written('json', output => output.error(error, false))
  expect(json.match(/(?!\n)\p{Cc}/gu)).toBeNull()
  expect(JSON.parse(json).error.lastLogLines).toEqual([evil])
})

/** What is written to standard error, unchanged. */
const rawlyWritten = (print: (output: Output) => void): string => {
  let text = ''
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation(chunk => {
    text += String(chunk)
    return true
  })
  try {
    print(new Output('plain'))
  } finally {
    spy.mockRestore()
  }
  return text
}

test('an error without a code is a bug in offstream, printed with its stack and the next step', () => {
  const bug = new TypeError('bees is not iterable')
  const hint = 'run `offstream report` and open an issue with the report'
  const [plainOut, plainError] = written('plain', output => output.error(bug, false))
  expect([plainOut, plainError.split('\n')]).toEqual([
    '',
    [
      '✖ This is a bug in offstream: TypeError: bees is not iterable [UNEXPECTED]',
      ...(bug.stack ?? '').split('\n').slice(1),
      `→ ${hint}`,
      '',
    ],
  ])
  const [json] = written('json', output => output.error(bug, false))
  expect(JSON.parse(json)).toEqual({
    version: 1,
    error: { code: 'UNEXPECTED', message: 'bees is not iterable', hint, lastLogLines: [] },
  })
})

test('a table that is too wide is cut in its widest columns', () => {
  const rows = [['3017620422003', 'Pâte à tartiner aux noisettes et au cacao', 'a'.repeat(40)]]
  const cut = stripVTControlCharacters(table(['code', 'product_name', 'image_url'], rows, 60))
  expect(cut.split('\n')).toEqual([
    'code           product_name           image_url',
    '3017620422003  Pâte à tartiner aux …  aaaaaaaaaaaaaaaaaaaa…',
  ])
  expect(stripVTControlCharacters(table(['code', 'product_name', 'image_url'], rows, 200))).toContain(
    'cacao  aaa',
  )
  // If even the narrowest columns do not fit, lines are as short as possible.
  expect(stripVTControlCharacters(table(['one', 'two'], [['123456', '123456']], 5))).toBe(
    'one   two\n123…  123…',
  )
})

test('a table has aligned columns and no borders', () => {
  expect(
    stripVTControlCharacters(
      table(
        ['name', 'n'],
        [
          ['a', '10'],
          [{ text: 'longer', tone: 'dim' }, ''],
        ],
      ),
    ),
  ).toBe(['name    n', 'a       10', 'longer'].join('\n'))
})
