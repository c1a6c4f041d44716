import { expect, test } from 'vitest'
import { jsonText, replaceControls } from './controls.ts'

/** C0, DEL and C1, whole. */
const controls = Array.from({ length: 0xa0 }, (_, code) => String.fromCharCode(code))
  .filter(character => character < ' ' || character > '~')
  .join('')

test('JSON text has no control character, and is read as what it was written from', () => {
  const value = { [controls]: `é🥖${controls}`, list: [controls] }
  const text = jsonText(value)
  expect(text).not.toMatch(/\p{Cc}/u)
  expect(JSON.parse(text)).toEqual(value)
})

test('of the control characters only those that are kept remain', () => {
  expect(replaceControls(`a${controls}é`)).toBe(`a${'�'.repeat(65)}é`)
  expect(replaceControls(`a\t\u009b31m\n${controls}`, { by: '', kept: '\t\n' })).toBe('a\t31m\n\t\n')
})
