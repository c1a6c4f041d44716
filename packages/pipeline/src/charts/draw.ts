import type { ChartFormat, ChartTheme } from '../names.ts'
import type { QueryResult } from '../table.ts'
import { type Chart, completeExtension } from './charts.ts'
import { chartPage } from './page.ts'
import { pngOf } from './png.ts'
import { completeSpec, renderChart } from './render.ts'
import { textChart } from './textChart.ts'

/** How a chart is drawn. */
export interface Drawing {
  readonly format: ChartFormat
  readonly theme: ChartTheme
}

const extensions: Readonly<Record<ChartFormat, string>> = {
  svg: '.svg',
  png: '.png',
  html: '.html',
  vega: completeExtension,
  text: '.txt',
}

/** The name of the file of a chart: that of the dark theme ends with `-dark`. */
export const chartFile = (name: string, { format, theme }: Drawing): string =>
  `${name}${theme === 'dark' ? '-dark' : ''}${extensions[format]}`

/**
 * Draws a chart of these rows in any format, as text or, for PNG, as bytes.
 * @throws OffstreamError CHART_INVALID as `renderChart`
 */
export const drawChart = async (
  chart: Chart,
  result: QueryResult,
  { format, theme }: Drawing,
): Promise<string | Uint8Array> => {
  switch (format) {
    case 'svg':
      return renderChart(chart, result, theme)
    case 'png':
      return pngOf(await renderChart(chart, result, theme))
    case 'html':
      return chartPage(chart, result, theme)
    case 'vega':
      return `${JSON.stringify(completeSpec(chart, result, theme), null, 2)}\n`
    case 'text':
      return `${textChart(chart, result)}\n`
  }
}
