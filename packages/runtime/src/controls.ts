/**
 * Control characters in text from outside: C0, DEL and C1. A terminal interprets them, C1 also in a file that it only
 * shows. Everything that writes such text uses these two functions.
 */
const control = /\p{Cc}/gu

/** JSON on one line, also with DEL and C1 escaped. `JSON.stringify` escapes only C0. */
export const jsonText = (value: unknown): string =>
  JSON.stringify(value).replace(control, one => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** Replaces each control character by `by`; those in `kept` stay. */
export const replaceControls = (text: string, { by = '�', kept = '' } = {}): string =>
  text.replace(control, one => (kept.includes(one) ? one : by))
