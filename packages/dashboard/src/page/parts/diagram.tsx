import type { Hop, Live } from '../../wire.ts'
import { count, decimal, duration } from '../format.ts'
import { t } from '../language.ts'
import { isNarrow } from './media.ts'

const node = { width: 164, height: 116 }
const gap = { wide: 76, narrow: 64 }

interface Place {
  readonly x: number
  readonly y: number
}

/** The way of the products, from left to right; on a narrow screen from top to bottom. */
export const Diagram = ({ live }: { readonly live: Live }) => {
  const narrow = isNarrow.value
  const step = narrow ? node.height + gap.narrow : node.width + gap.wide
  const places = live.hops.map((_, index) => (narrow ? { x: 0, y: index * step } : { x: index * step, y: 0 }))
  const length = step * (live.hops.length - 1)
  const [width, height] = narrow
    ? [node.width + 96, length + node.height]
    : [length + node.width, node.height]
  return (
    <figure aria-label={t('pipeline.diagram')}>
      <svg
        class={`diagram ${narrow ? 'narrow' : 'wide'}`}
        viewBox={`-2 -2 ${width + 4} ${height + 4}`}
        role="presentation"
      >
        {live.hops.slice(1).map((hop, index) => (
          <Edge key={hop.name} live={live} to={hop} at={places[index] ?? places[0]} narrow={narrow} />
        ))}
        {live.hops.map((hop, index) => (
          <Node key={hop.name} hop={hop} at={places[index] ?? places[0]} />
        ))}
      </svg>
    </figure>
  )
}

const Node = ({ hop, at }: { readonly hop: Hop; readonly at: Place | undefined }) => (
  <g
    class={`node node-${hop.state}`}
    transform={`translate(${at?.x ?? 0} ${at?.y ?? 0})`}
    data-hop={hop.name}
    data-state={hop.state}
    data-count={hop.count ?? ''}
  >
    <rect width={node.width} height={node.height} rx="12" />
    <circle cx="22" cy="27" r="4.5" />
    <text class="node-name" x="36" y="32">
      {t(`hop.${hop.name}`)}
    </text>
    <text class="node-count" x="18" y="74">
      {count(hop.count)}
    </text>
    <text class="node-what" x="18" y="97">
      {hop.state === 'ok' ? t(`hop.${hop.name}.what`) : t(`hop.${hop.state}`)}
    </text>
  </g>
)

interface EdgeProps {
  readonly live: Live
  readonly to: Hop
  /** The node before it. */
  readonly at: Place | undefined
  readonly narrow: boolean
}

const Edge = ({ live, to, at, narrow }: EdgeProps) => {
  const { first, second, moves } = edgeOf(live, to)
  const { x = 0, y = 0 } = at ?? {}
  const [from, end] = narrow
    ? [
        { x: 40, y: y + node.height + 6 },
        { x: 40, y: y + node.height + gap.narrow - 10 },
      ]
    : [
        { x: x + node.width + 6, y: node.height / 2 },
        { x: x + node.width + gap.wide - 10, y: node.height / 2 },
      ]
  const middle = { x: (from.x + end.x) / 2, y: (from.y + end.y) / 2 }
  const [one, two] = narrow
    ? [
        { x: 58, y: middle.y - 3 },
        { x: 58, y: middle.y + 16 },
      ]
    : [
        { x: middle.x, y: middle.y - 12 },
        { x: middle.x, y: middle.y + 25 },
      ]
  return (
    <g class={`edge ${moves ? 'moves' : ''} ${to.state === 'bad' ? 'edge-bad' : ''}`} data-edge={to.name}>
      <path class="edge-line" d={`M${from.x} ${from.y} L${end.x} ${end.y}`} />
      <path class="edge-head" d={headAt(end, narrow)} />
      <text class={narrow ? 'beside' : ''} x={one.x} y={one.y}>
        {first}
      </text>
      <text class={narrow ? 'beside' : ''} x={two.x} y={two.y}>
        {second}
      </text>
    </g>
  )
}

const headAt = ({ x, y }: Place, narrow: boolean): string =>
  narrow ? `M${x - 5} ${y - 4} l5 6 l5 -6` : `M${x - 4} ${y - 5} l6 5 l-6 5`

/** What the arrow to a hop shows. */
const edgeOf = ({ point, status: { flow } }: Live, to: Hop) => {
  const rate = (value: number | null) => (value === null ? '' : t('edge.rate', { rate: decimal(value) }))
  switch (to.name) {
    case 'topic':
      return { first: rate(point.arrived), second: '', moves: (point.arrived ?? 0) > 0 }
    case 'stream':
      return {
        first: rate(point.consumed),
        second: flow.lag === null ? '' : t('edge.lag', { lag: count(flow.lag) }),
        moves: (point.consumed ?? 0) > 0,
      }
    case 'table':
      return {
        first: rate(point.consumed),
        second: flow.rejected ? t('edge.rejected', { rejected: count(flow.rejected) }) : '',
        moves: (point.consumed ?? 0) > 0,
      }
    default:
      return {
        first: '',
        second:
          flow.freshnessSeconds === null ? '' : t('edge.fresh', { age: duration(flow.freshnessSeconds) }),
        moves: false,
      }
  }
}
