import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { decimal, moment } from '../format.ts'
import { language, t } from '../language.ts'
import { isDark } from './media.ts'

/** A line of a chart. */
export interface Line {
  readonly label: string
  /** The custom property of its colour, such as `--series-1`. */
  readonly color: string
  readonly values: readonly (number | null)[]
}

interface SeriesProps {
  readonly title: string
  /** Milliseconds since 1970, ascending. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  /** Whether the values of the lines are added up. */
  readonly stacked?: boolean
  /** The first moment of the axis; without it, that of the first value. */
  readonly since?: number
}

/** A time series with its legend. */
export const Series = ({ title, times, lines, stacked = false, since }: SeriesProps) => {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const data = dataOf(times, lines, stacked)
  const dark = isDark.value
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new uPlot(optionsOf(element, lines, stacked), data, element)
    chart.current = made
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: plotHeight }),
    )
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
    }
  }, [dark, lines.length, language.value])
  useEffect(() => {
    chart.current?.setData(data, false)
    const [first = 0, last = Date.now() / 1_000] = [data[0][0], data[0].at(-1)]
    chart.current?.batch(() => {
      chart.current?.setScale('x', { min: since === undefined ? first : since / 1_000, max: last })
    })
  })
  const last = lines.map(({ label, values }) => `${label} ${decimal(values.at(-1))}`).join(', ')
  return (
    <figure class="series" aria-label={`${title}: ${times.length === 0 ? t('series.empty') : last}`}>
      <figcaption>
        <span>{title}</span>
        <span class="legend">
          {lines.map(({ label, color, values }) => (
            <span key={label}>
              <i class={`swatch swatch${color.replace('--series', '')}`} aria-hidden="true" />
              {lines.length > 1 && `${label} `}
              <b>{decimal(values.findLast(value => value !== null))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot" ref={box} aria-hidden="true" />
      {times.length === 0 && <p class="empty muted">{t('series.empty')}</p>}
    </figure>
  )
}

const plotHeight = 150

/** With `stacked` each line is the sum of those before it, and the last line is drawn first. */
const dataOf = (times: readonly number[], lines: readonly Line[], stacked: boolean): uPlot.AlignedData => {
  const sums = times.map(() => 0)
  const values = lines.map(line =>
    stacked ? line.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))) : [...line.values],
  )
  return [times.map(time => time / 1_000), ...(stacked ? values.toReversed() : values)]
}

const optionsOf = (element: HTMLElement, lines: readonly Line[], stacked: boolean): uPlot.Options => {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--border'), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(element).fontFamily}`,
  }
  return {
    width: element.clientWidth,
    height: plotHeight,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [
      {
        ...axis,
        size: 24,
        grid: { show: false },
        space: 80,
        values: (_, ticks) => ticks.map(at => moment(at * 1_000).slice(0, 5)),
      },
      { ...axis, size: 52, space: 36, values: (_, ticks) => ticks.map(decimal) },
    ],
    series: [
      {},
      ...(stacked ? lines.toReversed() : lines).map(line => ({
        stroke: color(line.color),
        width: 1.5,
        points: { show: false },
        spanGaps: true,
        ...(stacked || lines.length === 1 ? { fill: `${color(line.color)}${stacked ? 'ff' : '22'}` } : {}),
      })),
    ],
  }
}
