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
