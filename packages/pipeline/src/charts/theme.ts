import type { Config } from 'vega-lite'
import type { ChartTheme } from '../names.ts'

/** The colours of a drawing. The colours of the scores are official, and the same in every theme. */
export interface Palette {
  readonly paper: string
  /** Text and outlines. */
  readonly ink: string
  readonly muted: string
  readonly line: string
  /** Marks without an official colour. */
  readonly accent: string
  /** The second of two series. */
  readonly second: string
  /** The smallest and the largest value of a heat map. */
  readonly scale: readonly [low: string, high: string]
}

export const palettes: Readonly<Record<ChartTheme, Palette>> = {
  light: {
    paper: '#ffffff',
    ink: '#1f2328',
    muted: '#57606a',
    line: '#d1d9e0',
    accent: '#2f6fb7',
    second: '#d9730d',
    scale: ['#eff5fc', '#7db3ec'],
  },
  dark: {
    paper: '#0d1117',
    ink: '#e6edf3',
    muted: '#9da7b3',
    line: '#3d444d',
    accent: '#6cb0f5',
    second: '#f0a04b',
    scale: ['#141c26', '#2a659f'],
  },
}

/** Inter is the font of PNG files; readers of an SVG file see the first of these fonts that they have. */
export const fontFamily = "Inter, 'Helvetica Neue', Helvetica, Arial, sans-serif"

/**
 * The configuration of Vega-Lite for a theme. A specification names the styles: `score` for marks in an official colour,
 * `label` for values next to a mark, `inside` for values on a mark, `note` for remarks.
 */
export const configOf = (theme: ChartTheme): Config => {
  const { paper, ink, muted, line, accent, second, scale } = palettes[theme]
  return {
    font: fontFamily,
    background: 'transparent',
    padding: 0,
    view: { stroke: null },
    title: {
      ...{ anchor: 'start', frame: 'bounds', offset: 18, color: ink, fontSize: 19, fontWeight: 700 },
      ...{ subtitleColor: muted, subtitleFontSize: 13, subtitlePadding: 7, subtitleLineHeight: 18 },
    },
    axis: {
      ...{ domain: false, ticks: false, gridColor: line, gridOpacity: 0.7 },
      ...{ labelColor: ink, labelFontSize: 13, labelPadding: 8, labelLimit: 0 },
      ...{ titleColor: muted, titleFontSize: 12, titleFontWeight: 400, titlePadding: 10 },
    },
    axisBand: { grid: false },
    header: {
      ...{ labelColor: ink, labelFontSize: 14, labelFontWeight: 700, labelAnchor: 'start', labelPadding: 8 },
      title: null,
    },
    legend: {
      ...{ labelColor: ink, labelFontSize: 12.5, labelLimit: 0, titleColor: muted, titleFontSize: 12 },
      ...{ titleFontWeight: 400, symbolType: 'square', symbolSize: 150, symbolStrokeWidth: 0 },
      ...{ symbolStrokeColor: ink, columnPadding: 14, orient: 'top', titleOrient: 'left', titlePadding: 14 },
    },
    mark: { color: accent },
    range: { category: [accent, second], heatmap: [...scale], ramp: [...scale] },
    style: {
      // Without an outline, a yellow bar is hardly visible on white, and a dark green one on black.
      score: { stroke: ink, strokeWidth: 0.8 },
      label: { color: ink, fontSize: 13, align: 'left', baseline: 'middle', dx: 8 },
      inside: { color: '#000000', fontSize: 12, align: 'center', baseline: 'middle' },
      note: { color: muted, fontSize: 12 },
      /** A line between two marks. */
      link: { color: line, strokeWidth: 3 },
      median: { color: ink, stroke: paper, strokeWidth: 1 },
    },
  }
}
