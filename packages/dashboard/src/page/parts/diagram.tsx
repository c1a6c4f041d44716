import type { Hop, Live } from '../../wire.ts'
import { age, compact, count } from '../format.ts'
import { t } from '../language.ts'
import { isNarrow } from './media.ts'

interface Place {
  readonly x: number
  readonly y: number
}

/** Sizes and places of one direction; those of texts are relative to their node or arrow. */
const layouts = {
  wide: {
    ...{ width: 164, height: 116, gap: 76, count: { x: 18, y: 74 }, what: { x: 18, y: 97 } },
    ...{ first: { x: 0, y: -12 }, second: { x: 0, y: 25 } },
  },
  narrow: {
    ...{ width: 324, height: 72, gap: 44, count: { x: 306, y: 46 }, what: { x: 36, y: 52 } },
    ...{ first: { x: 20, y: 5 }, second: { x: 84, y: 5 } },
  },
} as const

type Direction = keyof typeof layouts

/** The path of the products, from left to right; on a narrow screen from top to bottom. */
export const Diagram = ({ live }: { readonly live: Live }) => {
  const direction = isNarrow.value ? 'narrow' : 'wide'
  const { width, height, gap } = layouts[direction]
  const placeOf = (index: number): Place =>
    direction === 'narrow' ? { x: 0, y: index * (height + gap) } : { x: index * (width + gap), y: 0 }
  const end = placeOf(live.hops.length - 1)
  return (
    <figure aria-label={t('pipeline.diagram')}>
      <svg
        class={`diagram ${direction}`}
        viewBox={`-2 -2 ${end.x + width + 4} ${end.y + height + 4}`}
        role="presentation"
      >
        {live.hops.slice(1).map((hop, index) => (
          <Edge key={hop.name} live={live} to={hop} at={placeOf(index)} direction={direction} />
        ))}
        {live.hops.map((hop, index) => (
          <Node key={hop.name} hop={hop} at={placeOf(index)} direction={direction} />
        ))}
      </svg>
    </figure>
  )
}

interface NodeProps {
  readonly hop: Hop
  readonly at: Place
  readonly direction: Direction
}

const Node = ({ hop, at, direction }: NodeProps) => {
  const { width, height, count: countAt, what } = layouts[direction]
  return (
    <g
      class={`node node-${hop.state}`}
      transform={`translate(${at.x} ${at.y})`}
      data-hop={hop.name}
      data-state={hop.state}
      data-count={hop.count ?? ''}
    >
      <rect width={width} height={height} rx="12" />
      <circle cx="22" cy="27" r="4.5" />
      <text class="node-name" x="36" y="32">
        {t(`hop.${hop.name}`)}
      </text>
      <text class="node-count" {...countAt}>
        {count(hop.count)}
      </text>
      <text class="node-what" {...what}>
        {hop.state === 'ok' ? t(`hop.${hop.name}.what`) : t(`hop.${hop.state}`)}
      </text>
    </g>
  )
}

interface EdgeProps {
  readonly live: Live
  readonly to: Hop
  /** The position of the previous node. */
  readonly at: Place
  readonly direction: Direction
}

const Edge = ({ live, to, at: { x, y }, direction }: EdgeProps) => {
  const { first, second, moves } = edgeOf(live, to)
  const layout = layouts[direction]
  const isNarrow = direction === 'narrow'
  const from = isNarrow
    ? { x: 22, y: y + layout.height + 6 }
    : { x: x + layout.width + 6, y: layout.height / 2 }
  const length = layout.gap - 16
  const end = isNarrow ? { x: from.x, y: from.y + length } : { x: from.x + length, y: from.y }
  const textAt = (offset: Place): Place => ({
    x: (from.x + end.x) / 2 + offset.x,
    y: (from.y + end.y) / 2 + offset.y,
  })
  return (
    <g class={`edge ${moves ? 'moves' : ''} ${to.state === 'bad' ? 'edge-bad' : ''}`} data-edge={to.name}>
      <path class="edge-line" d={`M${from.x} ${from.y} L${end.x} ${end.y}`} />
      <path class="edge-head" d={headAt(end, isNarrow)} />
      <text {...textAt(layout.first)}>{first}</text>
      <text {...textAt(first === '' ? { ...layout.second, x: layout.first.x } : layout.second)}>
        {second}
      </text>
    </g>
  )
}

const headAt = ({ x, y }: Place, isNarrow: boolean): string =>
  isNarrow ? `M${x - 5} ${y - 4} l5 6 l5 -6` : `M${x - 4} ${y - 5} l6 5 l-6 5`

/** What the arrow to a hop shows. */
const edgeOf = ({ point, status: { flow } }: Live, to: Hop) => {
  const rate = (value: number | null) => (value === null ? '' : t('edge.rate', { rate: compact(value) }))
  switch (to.name) {
    case 'topic':
      return { first: rate(point.arrived), second: '', moves: (point.arrived ?? 0) > 0 }
    case 'stream':
      return {
        first: rate(point.consumed),
        second: flow.lag === null ? '' : t('edge.lag', { lag: compact(flow.lag) }),
        moves: (point.consumed ?? 0) > 0,
      }
    case 'table':
      return {
        first: rate(point.consumed),
        second: flow.rejected ? t('edge.rejected', { rejected: compact(flow.rejected) }) : '',
        moves: (point.consumed ?? 0) > 0,
      }
    default:
      return {
        first: '',
        second: flow.freshnessSeconds === null ? '' : t('edge.fresh', { age: age(flow.freshnessSeconds) }),
        moves: false,
      }
  }
}
