import { t } from '../language.ts'

/** The official colours; letters on light colours are dark, so that they are readable. */
const nutriscore = { a: '#038141', b: '#85bb2f', c: '#fecb02', d: '#ee8100', e: '#e63e11' } as const
const nova = { 1: '#00a100', 2: '#ffcc00', 3: '#ff6600', 4: '#e60000' } as const
const green = {
  'a-plus': '#00692e',
  a: '#1e8f4e',
  b: '#60ac0e',
  c: '#eeae0e',
  d: '#ff6f1e',
  e: '#df1f1f',
  f: '#8b1414',
} as const

const darkOn = new Set([
  '#85bb2f',
  '#fecb02',
  '#ffcc00',
  '#ee8100',
  '#ff6600',
  '#60ac0e',
  '#eeae0e',
  '#ff6f1e',
])
const inkOn = (color: string): string => (darkOn.has(color) ? '#1c1d20' : '#fff')

interface GradeProps {
  readonly grade: unknown
}

/** The five letters of the Nutri-Score, with the grade of the product enlarged. */
export const NutriScore = ({ grade }: GradeProps) => {
  if (typeof grade !== 'string' || !(grade in nutriscore)) return <Unknown />
  const letters = Object.entries(nutriscore)
  const at = letters.findIndex(([letter]) => letter === grade)
  const color = letters[at]?.[1] ?? ''
  return (
    <svg
      class="badge"
      width="76"
      height="26"
      viewBox="0 0 76 26"
      role="img"
      aria-label={t('badge.nutriscore', { grade: grade.toUpperCase() })}
    >
      <clipPath id="strip">
        <rect x="1" y="4" width="74" height="18" rx="5" />
      </clipPath>
      <g clip-path="url(#strip)">
        {letters.map(([letter, fill], index) => (
          <g key={letter}>
            <rect x={1 + index * 14.8} y="4" width="14.8" height="18" fill={fill} />
            <text class="badge-letter" x={8.4 + index * 14.8} y="17" fill={inkOn(fill)} opacity="0.7">
              {letter.toUpperCase()}
            </text>
          </g>
        ))}
      </g>
      <rect
        x={at * 14.8 - 0.6 + (at === 0 ? 1 : 0)}
        y="1"
        width="18"
        height="24"
        rx="6"
        fill={color}
        class="badge-mark"
      />
      <text class="badge-grade" x={8.4 + at * 14.8 + (at === 0 ? 1 : 0)} y="18.5" fill={inkOn(color)}>
        {grade.toUpperCase()}
      </text>
    </svg>
  )
}

/** The number of the NOVA group in its colour. */
export const Nova = ({ grade }: GradeProps) => {
  const group = Number(grade)
  if (group !== 1 && group !== 2 && group !== 3 && group !== 4) return <Unknown />
  return (
    <svg
      class="badge"
      width="22"
      height="26"
      viewBox="0 0 22 26"
      role="img"
      aria-label={t('badge.nova', { grade: group })}
    >
      <rect x="1" y="1" width="20" height="24" rx="3" fill={nova[group]} />
      <text class="badge-grade" x="11" y="19" fill={inkOn(nova[group])}>
        {group}
      </text>
    </svg>
  )
}

/** The letter of the Green-Score on a leaf. */
export const GreenScore = ({ grade }: GradeProps) => {
  if (typeof grade !== 'string' || !(grade in green)) return <Unknown />
  const color = green[grade as keyof typeof green]
  const letter = grade.replace('-plus', '+').toUpperCase()
  return (
    <svg
      class="badge"
      width="34"
      height="26"
      viewBox="0 0 34 26"
      role="img"
      aria-label={t('badge.green', { grade: letter })}
    >
      <path d="M9 1h16a8 8 0 0 1 8 8v8a8 8 0 0 1-8 8H1V9a8 8 0 0 1 8-8z" fill={color} />
      <text class="badge-grade" x="17" y="18.5" fill={inkOn(color)}>
        {letter}
      </text>
    </svg>
  )
}

const Unknown = () => <span class="muted">{t('none')}</span>
