import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitStatus } from '@offstream/runtime/errors'
import { expect, test } from 'vitest'
import { errorCodes, errorTables, outcomeMeanings } from './errorCodes.ts'
import { errorsDocument } from './errorsDocument.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const sources = readdirSync(join(root, 'packages'))
  .map(name => join('packages', name, 'src'))
  .flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(file => join(folder, file)),
  )
  .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }))

const withoutTables = sources.filter(({ file }) => !/^packages\/\w+\/src\/errors\.ts$/.test(file))

/** `new PipelineError('NOT_RUNNING'`, also over several lines. */
const thrown = /new (?:Offstream|Runtime|Pipeline|Site|Cli)Error\(\s*'([A-Z_]+)'/g

test('docs/errors.md is what the tables of error codes give', () => {
  expect(readFileSync(join(root, 'docs/errors.md'), 'utf8')).toBe(errorsDocument())
})

test('each error code is in exactly one table', () => {
  const codes = errorTables.flatMap(table => Object.keys(table)).sort()
  expect(codes).toEqual([...errorCodes.keys()])
})

test('every error that the source constructs has a code of the tables', () => {
  const codes = sources.flatMap(({ text }) => [...text.matchAll(thrown)].map(([, code = '']) => code))
  expect(codes.filter(code => !errorCodes.has(code))).toEqual([])
  expect(codes.length).toBeGreaterThan(80)
})

test('every error code is used by the source outside of its table', () => {
  const text = withoutTables.map(({ text }) => text).join('\n')
  const runtime = sources.find(({ file }) => file === 'packages/runtime/src/errors.ts')?.text ?? ''
  const unused = [...errorCodes.keys()].filter(
    code => !text.includes(`'${code}'`) && !runtime.includes(`'${code}'`),
  )
  expect(unused).toEqual([])
})

test('every exit status has a meaning', () => {
  expect(Object.keys(outcomeMeanings)).toEqual(Object.keys(exitStatus))
})
