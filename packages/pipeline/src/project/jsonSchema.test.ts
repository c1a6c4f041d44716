import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { shippedPath } from './assets.ts'
import { configSchema } from './jsonSchema.ts'
import { withEverySetting } from './testConfig.ts'

const schema = JSON.parse(readFileSync(shippedPath('config', 'offstream.schema.json'), 'utf8'))
const yaml = readFileSync(shippedPath('config', 'offstream.yaml'), 'utf8')

/** What an editor with the schema reports for this text. */
const problemsOf = (text: string): string[] => {
  const ajv = new Ajv({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    formats: { uri: URL.canParse },
  })
  ajv.validate(schema, parse(text))
  return (ajv.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

test('the committed JSON Schema matches the settings (otherwise: pnpm --filter @offstream/pipeline write:schema)', () => {
  expect(schema).toEqual(configSchema())
})

test('an editor reports no problem in config/offstream.yaml, neither as it is nor with every setting uncommented', () => {
  expect([problemsOf(yaml), problemsOf(withEverySetting(yaml))]).toEqual([[], []])
})

test('an editor reports what offstream rejects', () => {
  expect(problemsOf('kafka: { port: 70000, memory: 1 GB, prot: 1 }\nstream: []')).toEqual([
    '/kafka must NOT have additional properties',
    '/kafka/port must be <= 65535',
    expect.stringContaining('/kafka/memory must match pattern'),
    '/stream must be object,null',
  ])
})

test('an editor checks the settings of profiles as those outside of them', () => {
  expect(problemsOf('profiles: { prod: { kafka: { port: 1001 }, thrift: null }, ci: null }')).toEqual([])
  expect(
    problemsOf('profiles: { prod: { kafka: { prot: 1 }, bees: {} }, A: {}, ci: { kafka: { port: 70000 } } }'),
  ).toEqual([
    expect.stringContaining('/profiles must match pattern'),
    '/profiles property name must be valid',
    '/profiles/prod must NOT have additional properties',
    '/profiles/prod/kafka must NOT have additional properties',
    '/profiles/ci/kafka/port must be <= 65535',
  ])
})

test('config/offstream.yaml names its schema', () => {
  expect(yaml.split('\n')[0]).toBe('# yaml-language-server: $schema=offstream.schema.json')
})
