import { InvalidArgumentError } from '@commander-js/extra-typings'

/** A whole number from 1, from the command line. */
export const positiveInteger = (text: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1.')
  return Number(text)
}

/** A number above 0, from the command line. */
export const positiveNumber = (text: string): number => {
  const number = Number(text)
  if (text.trim() === '' || !Number.isFinite(number) || number <= 0)
    throw new InvalidArgumentError('It must be a number above 0.')
  return number
}

/** A span of time, from the command line: seconds, or with a unit (`500ms`, `30s`, `5m`, `2h`); in milliseconds. */
export const timeSpan = (text: string): number => {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  const milliseconds = Math.round(Number(amount) * (unitMs[unit] ?? Number.NaN))
  // The longest that a timer can wait.
  if (!(milliseconds > 0 && milliseconds < 2 ** 31))
    throw new InvalidArgumentError('It must be a time such as 500ms, 30s, 5m or 2h.')
  return milliseconds
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** A moment, from the command line: a day (`2026-01-31`, its beginning in UTC), or with a time and its zone. */
export const moment = (text: string): Date => {
  const [, day] = /^(\d{4}-\d\d-\d\d)(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.exec(text) ?? []
  const found = new Date(text)
  // JavaScript takes the 31st of February for the 3rd of March.
  if (day === undefined || Number.isNaN(found.getTime()) || !isDay(day))
    throw new InvalidArgumentError(
      'It must be a day such as 2026-01-31, or a moment such as 2026-01-31T12:00:00Z.',
    )
  return found
}

const isDay = (day: string): boolean => {
  const found = new Date(day)
  return !Number.isNaN(found.getTime()) && found.toISOString().startsWith(day)
}

/** Values that are separated by commas, from the command line. */
export const commaSeparated = (text: string): string[] => {
  const values = text
    .split(',')
    .map(value => value.trim())
    .filter(value => value !== '')
  if (values.length === 0) throw new InvalidArgumentError('It must name something.')
  return values
}

/** The first part of a host name of Open Food Facts, from the command line. */
export const siteLanguage = (text: string): string => {
  if (!/^(?:world|[a-z]{2})(?:-[a-z]{2})?$/.test(text))
    throw new InvalidArgumentError('It must be one such as fr, world, world-fr or be-nl.')
  return text
}

/** A TCP port, from the command line; 0 asks the system for a free one. */
export const portNumber = (text: string): number => {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('It must be a port from 0 to 65535.')
  return Number(text)
}

/** For an option that may be given several times: all of its values. */
export const collected = (value: string, earlier: readonly string[] | undefined): string[] => [
  ...(earlier ?? []),
  value,
]

/** The name of a stack, from the command line or the environment: it becomes the name of a folder. */
export const stackName = (text: string): string => {
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(text))
    throw new InvalidArgumentError('It must be of small letters, digits and hyphens, at most 40.')
  return text
}
