import type { ChartTheme } from '../names.ts'
import { escapeXml } from './escapeXml.ts'
import { fontFamily, palettes } from './theme.ts'

/** The space between a drawing and the edge of its picture, in pixels. */
const margin = 24
const footer = 26
/** Charts next to each other look better with the same width. */
const minWidth = 800

/** The licence of Open Food Facts requires it wherever the data is shown. */
const productSource = 'Open Food Facts (ODbL)'

/**
 * An SVG drawing of Vega as a complete picture: with a background, a margin, the attribution of the data, and the name
 * and the description that screen readers read.
 */
export const framed = (
  svg: string,
  {
    theme,
    title,
    description,
    source,
  }: {
    readonly theme: ChartTheme
    readonly title: string
    readonly description: string
    /** Null for products of Open Food Facts. */
    readonly source: string | null
  },
): string => {
  const [start = '', w = '0', h = '0'] =
    /^<svg [^>]*?width="([\d.]+)" height="([\d.]+)"[^>]*>/.exec(svg) ?? []
  const [width, height] = [
    Math.max(minWidth, Math.ceil(Number(w)) + 2 * margin),
    Math.ceil(Number(h)) + 2 * margin + footer,
  ]
  const { paper, muted } = palettes[theme]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(title)}">`,
    `<desc>${escapeXml(description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="${paper}"/>`,
    `<g transform="translate(${margin},${margin})">${svg.slice(start.length, -'</svg>'.length)}</g>`,
    `<text transform="translate(${width - margin},${height - margin + 6})" text-anchor="end" font-family="${fontFamily}" font-size="11.5" fill="${muted}">Data: ${escapeXml(source ?? productSource)}</text>`,
    '</svg>\n',
  ].join('\n')
}
