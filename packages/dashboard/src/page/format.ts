import { formats, t } from './language.ts'

/** A count; a dash if it is unknown. */
export const count = (value: number | null | undefined): string =>
  value == null ? t('none') : formats.value.whole.format(value)

/** A number with at most one decimal, and without decimals from 100. */
export const decimal = (value: number | null | undefined): string => {
  if (value == null) return t('none')
  return value >= 100 ? formats.value.whole.format(value) : formats.value.decimal.format(value)
}

/** A number where there is little space: short from 10,000 on. */
export const compact = (value: number): string =>
  value < 10_000 ? decimal(value) : formats.value.compact.format(value)

const units: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** A duration in its two largest units, such as `2 h 4 min`. */
export const duration = (seconds: number | null | undefined): string => {
  if (seconds == null) return t('none')
  const whole = Math.max(0, Math.round(seconds))
  const first = units.findIndex(([size]) => whole >= size)
  if (first === -1) return '0 s'
  let rest = whole
  return units
    .slice(first, first + 2)
    .flatMap(([size, unit]) => {
      const amount = Math.floor(rest / size)
      rest -= amount * size
      return amount === 0 ? [] : [`${amount} ${unit}`]
    })
    .join(' ')
}

/** A duration in its largest unit, such as `2 h`. */
export const age = (seconds: number | null | undefined): string =>
  duration(seconds).split(' ').slice(0, 2).join(' ')

/** Milliseconds, or seconds from `secondsFrom` on. */
const millisecondsOr = (value: number, secondsFrom: number): string =>
  value < secondsFrom ? `${count(value)} ms` : `${decimal(value / 1_000)} s`

/** Milliseconds, or seconds from 10 on. */
export const milliseconds = (value: number | null | undefined): string =>
  value == null ? t('none') : millisecondsOr(value, 10_000)

/** Milliseconds, or seconds from 1 on. */
export const millisecondsTick = (value: number): string => millisecondsOr(value, 1_000)

/** A size in decimal units. */
export const bytes = (value: number | null | undefined): string => {
  if (value == null) return t('none')
  const [size, unit] = value >= 1e9 ? [1e9, 'GB'] : value >= 1e6 ? [1e6, 'MB'] : [1e3, 'kB']
  return `${decimal(value / size)} ${unit}`
}

/** The time of day, with the date if it is not today. */
export const moment = (value: string | number): string => {
  const date = new Date(value)
  if (Number.isNaN(date.getTime())) return String(value)
  const isToday = date.toDateString() === new Date().toDateString()
  return (isToday ? formats.value.time : formats.value.moment).format(date)
}

/** A time on the axis of a chart, whose ticks are `step` seconds apart. */
export const timeTick = (at: number, step: number): string => {
  const { time, minute, day } = formats.value
  return (step < 60 ? time : step < 86_400 ? minute : day).format(at)
}
