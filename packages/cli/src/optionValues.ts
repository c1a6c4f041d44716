import { InvalidArgumentError } from '@commander-js/extra-typings'
import { stackNamePattern } from '@offstream/pipeline/names'

/** Parses a whole number of at least 1. */
export const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number of at least 1.')
  return Number(text)
}

/** Parses a number above 0. */
export const positiveNumber = (text: string): number => {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number <= 0)
    throw new InvalidArgumentError('It must be a number above 0.')
  return number
}

/** Parses a duration: seconds, or with a unit (`500ms`, `30s`, `5m`, `2h`). @returns milliseconds */
export const duration = (text: string): number => {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const milliseconds = Math.round(Number(amount) * (unitMs[unit] ?? Number.NaN))
  // The maximum of a timer.
  if (!(milliseconds > 0 && milliseconds < 2 ** 31))
    throw new InvalidArgumentError('It must be a duration such as 500ms, 30s, 5m or 2h.')
  return milliseconds
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Parses a date (`2026-01-31`, midnight UTC), or a date with a time and a time zone. */
export const dateTime = (text: string): Date => {
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? []
  const found = new Date(text)
  // JavaScript parses the 31st of February as the 3rd of March.
  if (day === undefined || Number.isNaN(found.getTime()) || !isDay(day))
    throw new InvalidArgumentError(
      'It must be a date such as 2026-01-31, or a date with a time such as 2026-01-31T12:00:00Z.',
    )
  return found
}

const isDay = (day: string): boolean => {
  const found = new Date(day)
  return !Number.isNaN(found.getTime()) && found.toISOString().startsWith(day)
}

/** Parses values that are separated by commas. */
export const commaSeparated = (text: string): string[] => {
  const values = text
    .split(',')
    .map(value => value.trim())
    .filter(value => value !== '')
  if (values.length === 0) throw new InvalidArgumentError('It must not be empty.')
  return values
}

/** Parses the first part of a host name of Open Food Facts. */
export const siteLanguage = (text: string): string => {
  if (!/^(?:world|[a-z]{2})(?:-[a-z]{2})?$/.test(text))
    throw new InvalidArgumentError(
      'It must be the first part of a host name, such as fr, world, world-fr or be-nl.',
    )
  return text
}

/** Parses a TCP port; with 0 the system chooses a free one. */
export const portNumber = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a port from 0 to 65535.')
  return Number(text)
}

/** All values of an option that can be repeated. */
export const collected = (value: string, earlier: readonly string[] | undefined): string[] => [
  ...(earlier ?? []),
  value,
]

/** Parses the name of a stack or a profile. */
export const stackName = (text: string): string => {
  if (!stackNamePattern.test(text))
    throw new InvalidArgumentError(
      'It must have at most 40 characters: lowercase letters, digits and hyphens.',
    )
  return text
}
