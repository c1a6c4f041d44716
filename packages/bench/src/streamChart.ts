import { parse, View } from 'vega'
import { compile, type TopLevelSpec } from 'vega-lite'
import { figureOf } from './figures.ts'
import type { ChartOf } from './scenario.ts'
import type { Point, StoredResults } from './streamResults.ts'

/** Draws the results of a scenario as the text of an SVG file. */
export const drawResults = async (results: StoredResults, chart: ChartOf): Promise<string> => {
  const { spec, values } = chart.kind === 'bars' ? bars(results, chart) : lines(results, chart)
  const { spec: compiled } = compile({ ...spec, data: { name: 'rows', values: [...values] } })
  const view = new View(parse(compiled), { renderer: 'none' })
  try {
    return `${await view.toSVG()}\n`
  } finally {
    view.finalize()
  }
}

/** A chart without its data. */
interface Drawing {
  readonly spec: TopLevelSpec
  readonly values: readonly Point[]
}

const schema = 'https://vega.github.io/schema/vega-lite/v6.json'
const data = { name: 'rows' }
const frame = { background: 'white', padding: 12, config: { font: 'sans-serif' } }
const wide = { width: 520, ...frame }

const bars = ({ runs }: StoredResults, { column, title }: ChartOf & { readonly kind: 'bars' }): Drawing => {
  const contenders = [...new Set(runs.map(({ contender }) => contender))]
  return {
    spec: {
      $schema: schema,
      ...wide,
      data,
      mark: { type: 'bar' },
      encoding: {
        y: { field: 'series', type: 'nominal', sort: null, title: null, axis: { labelLimit: 420 } },
        x: { field: 'y', type: 'quantitative', title },
        color: {
          condition: { test: "indexof(datum.series, 'offstream') === 0", value: '#4c78a8' },
          value: '#b8b8b8',
        },
      },
    },
    values: contenders.flatMap((series, x) => {
      const all = runs.flatMap(run => (run.contender === series ? (run.figures[column] ?? []) : []))
      return all.length === 0 ? [] : [{ series, x, y: figureOf(all).median }]
    }),
  }
}

const lines = (
  { points }: StoredResults,
  chart: ChartOf & { readonly kind: 'lines' | 'panels' },
): Drawing => {
  const x = { field: 'x', type: 'quantitative', title: chart.x } as const
  const mark = { type: 'line', strokeWidth: 1.5 } as const
  if (chart.kind === 'lines')
    return {
      spec: {
        $schema: schema,
        ...wide,
        data,
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
      values: points,
    }
  return {
    spec: {
      $schema: schema,
      ...frame,
      data,
      facet: {
        row: {
          field: 'series',
          type: 'nominal',
          title: null,
          header: { labelOrient: 'top', labelAnchor: 'start' },
        },
      },
      spec: {
        width: 420,
        height: 90,
        mark,
        encoding: { x, y: { field: 'y', type: 'quantitative', title: null } },
      },
      resolve: { scale: { y: 'independent' } },
    },
    values: points,
  }
}
