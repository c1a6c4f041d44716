import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const text = readFileSync(join(import.meta.dirname, '../../../docs/growth.md'), 'utf8')

/** The calculations: lines `S1  <expression> = <result>  <what it is>` in the code blocks without a language. */
const calculations = [...text.matchAll(/^(S\d+) +([\d., ()+−×/exp-]+?) = ([\d,.]+)/gm)].map(
  ([, name = '', expression = '', result = '']) => ({ name, expression, result: numberIn(result) }),
)

function numberIn(shown: string): number {
  return Number(shown.replaceAll(',', ''))
}

/** The pattern above admits only numbers, operators, parentheses and `exp`. */
const resultOf = (expression: string): number =>
  Function(
    'exp',
    `return ${expression.replaceAll(',', '').replaceAll('×', '*').replaceAll('−', '-')}`,
  )(Math.exp)

/** The figures of the two tables: their names, and whether the row has an address or a link to a document. */
const figures = [...text.matchAll(/^\| ([MC]\d+) \|(.*)\|$/gm)].map(([, name = '', row = '']) => ({
  name,
  hasSource: /\]\((?:https:\/\/|[\w./]+\.md)/.test(row),
}))

test('each calculation of the plan for growth gives its result, to one percent', () => {
  const wrong = calculations.filter(
    ({ expression, result }) => !(Math.abs(resultOf(expression) / result - 1) <= 0.01),
  )
  expect(wrong).toEqual([])
  expect(calculations.length).toBeGreaterThan(20)
})

test('each figure of the plan for growth has a source', () => {
  expect(figures.filter(({ hasSource }) => !hasSource)).toEqual([])
  expect(figures.length).toBeGreaterThan(15)
})

test('the plan for growth uses only figures and calculations that it lists, each listed once', () => {
  const listed = [...figures, ...calculations].map(({ name }) => name)
  const used = [...text.matchAll(/\b[MCS]\d+\b/g)].map(([name]) => name)
  expect(used.filter(name => !listed.includes(name))).toEqual([])
  expect(listed.filter((name, index) => listed.indexOf(name) !== index)).toEqual([])
})
