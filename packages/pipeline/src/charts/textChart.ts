import { replaceControls } from '@offstream/runtime/controls'
import type { QueryResult } from '../table.ts'
import { type Chart, emptyText } from './charts.ts'
import { numericTypes, titleOf } from './render.ts'

const maxLabel = 44
const minBar = 10
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/**
 * A chart as a bar chart of text, for a terminal: the columns before the first number are the label of a row, the first
 * number is its bar.
 */
export const textChart = (chart: Chart, { columns, rows }: QueryResult, width = 80): string => {
  const firstNumber = columns.findIndex(({ type }) => numericTypes.has(type))
  const value = firstNumber === -1 ? columns.length : firstNumber
  const title = titleOf(chart)
  if (rows.length === 0) return `${title}\n${emptyText(chart)}`
  const lines = rows.map(row => ({
    label: shortened(
      row
        .slice(0, value)
        .map(one => String(one ?? 'unknown'))
        .join(' · '),
    ),
    amount: Number(row[value] ?? 0),
  }))
  const head = columns.slice(0, value).map(({ name }) => name)
  const largest = Math.max(...lines.map(({ amount }) => amount), Number.MIN_VALUE)
  const labelWidth = Math.max(head.join(' · ').length, ...lines.map(({ label }) => [...label].length))
  const numbers = lines.map(({ amount }) => amount.toLocaleString('en-US'))
  const barWidth = Math.max(minBar, width - labelWidth - Math.max(...numbers.map(({ length }) => length)) - 4)
  const padded = (label: string): string => label + ' '.repeat(labelWidth - [...label].length)
  return [
    title,
    `${padded(head.join(' · '))}  ${columns[value]?.name ?? ''}`,
    ...lines.map(
      ({ label, amount }, at) => `${padded(label)}  ${bar(amount / largest, barWidth)} ${numbers[at]}`,
    ),
  ].join('\n')
}

const bar = (share: number, width: number): string => {
  const parts = Math.round(Math.max(0, share) * width * 8)
  return `${'█'.repeat(Math.floor(parts / 8))}${eighths[parts % 8]}`
}

const shortened = (written: string): string => {
  const label = replaceControls(written)
  return [...label].length <= maxLabel ? label : `${[...label].slice(0, maxLabel - 1).join('')}…`
}
