import { ratesOf, type Sample } from '@offstream/pipeline'
import chalk from 'chalk'

const bars = '▁▂▃▄▅▆▇█'
const maxWidth = 40

/** A line of bars, with the last value on the right and a space for an unknown value. The highest bar is the largest value. */
export const sparkline = (values: readonly (number | null)[], width = maxWidth): string => {
  const shown = values.slice(-width)
  const max = Math.max(...shown.map(value => value ?? 0))
  return shown
    .map(value => {
      if (value === null) return ' '
      return bars[max === 0 ? 0 : Math.round((value / max) * (bars.length - 1))] ?? ' '
    })
    .join('')
}

/** How the rates and the lag have changed since the watch started; empty before the second status. */
export const trendsText = (samples: readonly Sample[]): string => {
  if (samples.length < 2) return ''
  const [arrived, consumed] = [ratesOf(samples, 'acknowledged'), ratesOf(samples, 'consumed')]
  const rate = (value: number | null | undefined) => (value == null ? '?' : `${round(value)}/s`)
  const lags = samples.map(({ lag }) => lag)
  return [
    line('arrived', arrived, rate(arrived.at(-1))),
    line('consumed', consumed, rate(consumed.at(-1))),
    line('lag', lags, String(lags.at(-1) ?? '?')),
  ].join('\n')
}

const line = (name: string, values: readonly (number | null)[], last: string): string =>
  `${name.padEnd(9)}${chalk.cyan(sparkline(values).padStart(Math.min(values.length, maxWidth)))} ${chalk.bold(last)}`

const round = (value: number): number => (value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)
