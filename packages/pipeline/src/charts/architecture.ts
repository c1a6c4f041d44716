import { type ChartTheme, type StationName, stations } from '../names.ts'
import { escapeXml } from './escapeXml.ts'
import { fontFamily, palettes } from './theme.ts'

interface Words {
  readonly title: string
  readonly lines: readonly string[]
  /** What moves the products to this station, and in which form. */
  readonly arrow: { readonly command: string; readonly form: string } | null
}

const words: Readonly<Record<StationName, Words>> = {
  site: { title: 'Open Food Facts', lines: ['pages, API, exports,', 'or a stand-in site'], arrow: null },
  topic: {
    title: 'Kafka topic',
    lines: ['products-events,', 'key = barcode'],
    arrow: { command: 'scrape', form: 'JSON' },
  },
  stream: {
    title: 'Spark job',
    lines: ['Structured Streaming,', 'newest record wins'],
    arrow: { command: 'submit', form: 'messages' },
  },
  table: {
    title: 'Iceberg table',
    lines: ['lake.off.products,', 'snapshots, deletes'],
    arrow: { command: '', form: 'upserts' },
  },
  thrift: {
    title: 'Thrift server',
    lines: ['the view Products,', 'Spark SQL'],
    arrow: { command: '', form: 'rows' },
  },
}

const readers = ['query, charts, dashboard', 'Tableau, DBeaver, Superset', 'Python, dbt']

const description =
  'offstream scrape reads products of Open Food Facts and publishes them to a Kafka topic; a Spark job, started by ' +
  'offstream submit, writes them to an Iceberg table; the Thrift server serves the table to SQL clients, charts and ' +
  'Tableau. One daemon supervises the services. offstream status counts the products at each station.'

const box = { width: 178, height: 112, gap: 76, top: 52 }
const margin = 32
const size = { width: 5 * box.width + 4 * box.gap + 2 * margin, height: 464 }
const servicesTop = 206
const countsTop = 344

/** The path of a product through offstream, as an SVG file: `charts/Streaming-Chart.svg`, and the same for dark pages. */
export const architectureDiagram = (theme: ChartTheme): string => {
  const { paper, ink, muted, line, accent, scale } = palettes[theme]
  const styles = [
    `text { font-family: ${fontFamily}; font-size: 14px; fill: ${ink}; text-anchor: middle }`,
    '.title { font-size: 16px; font-weight: 700 }',
    `.muted { fill: ${muted}; font-size: 13px }`,
    `.command { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 13px; font-weight: 700; fill: ${accent} }`,
    `.box { fill: ${scale[0]}; stroke: ${accent}; stroke-width: 1.4 }`,
    `.service { fill: ${paper}; stroke: ${line}; stroke-width: 1.4 }`,
    `.frame { fill: none; stroke: ${muted}; stroke-dasharray: 6 5 }`,
    `.arrow { fill: none; stroke: ${ink}; stroke-width: 1.8 }`,
    `.tie { fill: none; stroke: ${line}; stroke-width: 1.4 }`,
    `.head { fill: ${ink} }`,
  ]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="How a product goes through offstream">`,
    `<desc>${description}</desc>`,
    `<style>${styles.join(' ')}</style>`,
    `<rect width="${size.width}" height="${size.height}" fill="${paper}"/>`,
    ...frame(paper),
    ...stations.flatMap((station, at) => stationAt(station, left(at))),
    ...counts(),
    '</svg>\n',
  ].join('\n')
}

const left = (at: number): number => margin + at * (box.width + box.gap)

const text = (x: number, y: number, content: string, style = ''): string =>
  `<text x="${x}" y="${y}"${style === '' ? '' : ` class="${style}"`}>${escapeXml(content)}</text>`

const rect = (x: number, y: number, width: number, height: number, style: string): string =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="9" class="${style}"/>`

const arrow = (from: number, to: number, y: number): string[] => [
  `<path class="arrow" d="M${from} ${y}H${to - 8}"/>`,
  `<path class="head" d="M${to} ${y}l-9 -5v10z"/>`,
]

const stationAt = ({ name, services }: (typeof stations)[number], x: number): string[] => {
  const { title, lines, arrow: by } = words[name]
  const middle = x + box.width / 2
  const y = box.top + box.height / 2
  const before = x - box.gap / 2
  return [
    ...(by === null
      ? []
      : [
          ...arrow(x - box.gap + 4, x - 4, y),
          text(before, y - 12, by.command, 'command'),
          text(before, y + 24, by.form, 'muted'),
        ]),
    rect(x, box.top, box.width, box.height, 'box'),
    text(middle, box.top + 40, title, 'title'),
    ...lines.map((one, at) => text(middle, box.top + 66 + 20 * at, one, 'muted')),
    ...(services.length === 0
      ? []
      : [`<path class="tie" d="M${middle} ${box.top + box.height}V${servicesTop + 20}"/>`]),
    ...services.flatMap((service, at) => [
      rect(x + 8, servicesTop + 20 + 32 * at, box.width - 16, 27, 'service'),
      text(middle, servicesTop + 38 + 32 * at, service),
    ]),
  ]
}

/** The services, which one process supervises. */
const frame = (paper: string): string[] => {
  const x = left(1) - 22
  const width = size.width - x - 10
  return [
    rect(x, servicesTop, width, 122, 'frame'),
    `<rect x="${left(3) - 14}" y="${servicesTop + 38}" width="${box.width + 28}" height="46" fill="${paper}"/>`,
    text(left(3) + box.width / 2, servicesTop + 56, 'up · down · restart', 'command'),
    text(left(3) + box.width / 2, servicesTop + 78, 'one daemon supervises them', 'muted'),
  ]
}

/** The counts of `status` below the stations, and the readers of the table. */
const counts = (): string[] => [
  ...stations.flatMap(({ count }, at) => [
    text(left(at) + box.width / 2, countsTop + 32, count, 'title'),
    ...(at === 0 ? [] : arrow(left(at) - box.gap + 4, left(at) - 4, countsTop + 27)),
  ]),
  text(left(0) + box.width / 2, countsTop + 58, 'status, wait', 'command'),
  text(left(2) + box.width / 2, countsTop + 58, 'the counts must meet', 'muted'),
  ...readers.map((one, at) => text(left(4) + box.width / 2, countsTop + 58 + 19 * at, one, 'muted')),
]
