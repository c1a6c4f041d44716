import { type Chart, renderChart } from '@offstream/pipeline'
import { figureOf } from './figures.ts'
import type { ChartOf } from './scenario.ts'
import type { StoredResults } from './streamResults.ts'

/** Draws the results of a scenario as the text of an SVG file. */
export const drawResults = (results: StoredResults, chart: ChartOf): Promise<string> => {
  const { spec, rows } = chart.kind === 'bars' ? bars(results, chart) : lines(results, chart)
  return renderChart(
    { name: results.scenario, sql: '', spec },
    {
      columns: [
        { name: 'series', type: 'string' },
        { name: 'x', type: 'double' },
        { name: 'y', type: 'double' },
      ],
      rows,
    },
  )
}

/** A chart without its data. */
interface Drawing {
  readonly spec: Chart['spec']
  readonly rows: readonly (readonly [series: string, x: number, y: number])[]
}

const schema = 'https://vega.github.io/schema/vega-lite/v6.json'
const wide = { width: 520, background: 'white', padding: 12 }

const bars = ({ runs }: StoredResults, { column, title }: ChartOf & { readonly kind: 'bars' }): Drawing => {
  const contenders = [...new Set(runs.map(({ contender }) => contender))]
  return {
    spec: {
      $schema: schema,
      ...wide,
      data: { name: 'rows' },
      mark: { type: 'bar', color: '#4c78a8' },
      encoding: {
        y: { field: 'series', type: 'nominal', sort: null, title: null, axis: { labelLimit: 420 } },
        x: { field: 'y', type: 'quantitative', title },
      },
    },
    rows: contenders.flatMap((contender, index) => {
      const values = runs.flatMap(run => (run.contender === contender ? (run.figures[column] ?? []) : []))
      return values.length === 0 ? [] : [[contender, index, figureOf(values).median] as const]
    }),
  }
}

const lines = (
  { points }: StoredResults,
  chart: ChartOf & { readonly kind: 'lines' | 'panels' },
): Drawing => {
  const x = { field: 'x', type: 'quantitative', title: chart.x } as const
  const mark = { type: 'line', strokeWidth: 1.5 } as const
  const rows = points.map(({ series, x: at, y }) => [series, at, y] as const)
  if (chart.kind === 'lines')
    return {
      spec: {
        $schema: schema,
        ...wide,
        data: { name: 'rows' },
        mark,
        encoding: {
          x,
          y: { field: 'y', type: 'quantitative', title: chart.y, scale: { type: 'log' } },
          color: {
            field: 'series',
            type: 'nominal',
            title: null,
            sort: null,
            scale: { scheme: 'category20' },
            legend: { orient: 'bottom', columns: 1, labelLimit: 500 },
          },
        },
      },
      rows,
    }
  return {
    spec: {
      $schema: schema,
      background: 'white',
      padding: 12,
      data: { name: 'rows' },
      facet: {
        row: { field: 'series', type: 'nominal', title: null, header: { labelAngle: 0, labelAlign: 'left' } },
      },
      spec: {
        width: 420,
        height: 90,
        mark,
        encoding: { x, y: { field: 'y', type: 'quantitative', title: null } },
      },
      resolve: { scale: { y: 'independent' } },
    },
    rows,
  }
}
