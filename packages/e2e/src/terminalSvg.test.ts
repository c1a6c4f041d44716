import { expect, test } from 'vitest'
import { terminalSvg } from './terminalSvg.ts'

const textsOf = (output: string): string[] =>
  [...terminalSvg([{ command: 'offstream status', output }]).matchAll(/<text [^>]*>(.*)<\/text>/g)].map(
    ([, text = '']) => text,
  )

test('a session shows each command after a prompt, then its lines', () => {
  const [command, ...lines] = textsOf('one\n\ntwo\n')
  expect(command).toBe('<tspan fill="#6cb0f5">$</tspan> <tspan font-weight="700">offstream status</tspan>')
  expect(lines).toEqual(['one', '', 'two'])
})

test('terminal colours become text colours, and other codes are removed', () => {
  expect(textsOf('\u001b[32m✔\u001b[39m ready \u001b[4m<now>\u001b[24m').at(-1)).toBe(
    '<tspan fill="#56d364">✔</tspan> ready &lt;now&gt;',
  )
})

test('a line that is too long ends with …', () => {
  expect(textsOf(`\u001b[1m${'x'.repeat(60)}\u001b[22m${'y'.repeat(60)}`).at(-1)).toBe(
    `<tspan font-weight="700">${'x'.repeat(60)}</tspan>${'y'.repeat(43)}…`,
  )
})
