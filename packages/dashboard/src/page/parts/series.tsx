import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import { compact, decimal, duration, milliseconds, millisecondsTick, timeTick } from '../format.ts'
import { language, t } from '../language.ts'
import { isDark } from './media.ts'

/** A line of a chart. */
export interface Line {
  readonly label: string
  /** The custom property of its colour, such as `--series-1`. */
  readonly color: string
  readonly values: readonly (number | null)[]
}

const decades = Array.from({ length: 10 }, (_, power) => 10 ** power)
const roundSteps = decades.flatMap(ten => [ten, 2 * ten, 5 * ten])
const [minute, hour, day] = [60, 3_600, 86_400]

/** The kinds of values: the text of a value, that of a tick of the axis, and the possible distances of two ticks. */
const scales = {
  number: { text: decimal, tick: compact, steps: roundSteps },
  milliseconds: { text: milliseconds, tick: millisecondsTick, steps: roundSteps },
  seconds: {
    ...{ text: duration, tick: duration },
    steps: [
      ...[1, 2, 5, 10, 20, 30, minute, 2 * minute, 5 * minute, 10 * minute, 20 * minute, 30 * minute],
      ...[hour, 2 * hour, 6 * hour, 12 * hour, ...roundSteps.map(step => step * day)],
    ],
  },
} as const

interface SeriesProps {
  readonly title: string
  /** Milliseconds since 1970, ascending. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  readonly scale?: keyof typeof scales
  /** `steps`: a value is valid until the next one. `bars`: the values of a time are added up, in one bar. */
  readonly shape?: 'line' | 'steps' | 'bars'
}

/** A time series with its legend. */
export const Series = ({ title, times, lines, scale: kind = 'number', shape = 'line' }: SeriesProps) => {
  const scale = scales[kind]
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const data = dataOf(times, lines, shape)
  const dark = isDark.value
  useEffect(() => {
    const element = box.current
    if (element === null) return
    const made = new uPlot(optionsOf(element, lines, scale, shape), data, element)
    chart.current = made
    const observer = new ResizeObserver(() =>
      made.setSize({ width: element.clientWidth, height: inPixels(plotHeight) }),
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
    // A bar needs space on both sides of its time.
    const margin = shape === 'bars' ? Math.max(1, (last - first) / 40) : 0
    chart.current?.batch(() => {
      chart.current?.setScale('x', { min: first - margin, max: last + margin })
    })
  })
  const last = lines.map(({ label, values }) => `${label} ${scale.text(values.at(-1))}`).join(', ')
  return (
    <figure class="series" aria-label={`${title}: ${times.length === 0 ? t('series.empty') : last}`}>
      <figcaption>
        <span>{title}</span>
        <span class="legend">
          {lines.map(({ label, color, values }) => (
            <span key={label}>
              {lines.length > 1 && (
                <>
                  <i class={`swatch swatch${color.replace('--series', '')}`} aria-hidden="true" />
                  {label}{' '}
                </>
              )}
              <b>{scale.text(values.findLast(value => value !== null))}</b>
            </span>
          ))}
        </span>
      </figcaption>
      <div class="plot" ref={box} aria-hidden="true" />
      {times.length === 0 && <p class="empty muted">{t('series.empty')}</p>}
    </figure>
  )
}

/** In rem, like the styles: the type is larger on a very wide screen. */
const plotHeight = 10

const inPixels = (rem: number): number =>
  Math.round(rem * Number.parseFloat(getComputedStyle(document.documentElement).fontSize))

/** With bars, each line is the sum of those before it, and the last line is drawn first. */
const dataOf = (
  times: readonly number[],
  lines: readonly Line[],
  shape: SeriesProps['shape'],
): uPlot.AlignedData => {
  const sums = times.map(() => 0)
  const values = lines.map(line =>
    shape === 'bars'
      ? line.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0)))
      : [...line.values],
  )
  return [times.map(time => time / 1_000), ...(shape === 'bars' ? values.toReversed() : values)]
}

const shapes = () => ({
  steps: uPlot.paths.stepped?.({ align: 1 }),
  bars: uPlot.paths.bars?.({ size: [0.8, 14, 3] }),
})

const optionsOf = (
  element: HTMLElement,
  lines: readonly Line[],
  scale: (typeof scales)[keyof typeof scales],
  shape: 'line' | 'steps' | 'bars',
): uPlot.Options => {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string) => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--muted'),
    grid: { stroke: color('--border'), width: 1 },
    ticks: { show: false },
    font: `${inPixels(0.6875)}px ${getComputedStyle(element).fontFamily}`,
  }
  const isBars = shape === 'bars'
  const paths = shape === 'line' ? undefined : shapes()[shape]
  return {
    width: element.clientWidth,
    height: inPixels(plotHeight),
    // The plot is as wide as its card; the last label of the axis needs space.
    padding: [8, inPixels(1.875), 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [
      {
        ...axis,
        size: inPixels(1.5),
        grid: { show: false },
        space: inPixels(5),
        values: (_, ticks, __, ___, step) => ticks.map(at => timeTick(at * 1_000, step)),
      },
      {
        ...axis,
        size: inPixels(4.125),
        space: inPixels(2.25),
        incrs: [...scale.steps],
        values: (_, ticks) => ticks.map(scale.tick),
      },
    ],
    series: [
      {},
      ...(isBars ? lines.toReversed() : lines).map(line => ({
        stroke: color(line.color),
        width: isBars ? 0 : 1.5,
        points: { show: false },
        spanGaps: true,
        ...(isBars || lines.length === 1 ? { fill: `${color(line.color)}${isBars ? 'ff' : '22'}` } : {}),
        ...(paths === undefined ? {} : { paths }),
      })),
    ],
  }
}
