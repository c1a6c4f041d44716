import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { XmlDocument, XmlElement, type XmlNode, XmlValidateError, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { afterAll, describe, expect, test } from 'vitest'
import { productColumns } from '../product/product.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))
const workbookPath = join(root, 'Data-viz.twb')
// Reading it is the first check: the parser takes well-formed XML only.
const workbook = XmlDocument.fromBuffer(readFileSync(workbookPath), { url: workbookPath })
afterAll(() => workbook.dispose())

const nodes = (path: string, within: XmlNode = workbook.root): XmlNode[] => within.find(path)

const elements = (path: string, within?: XmlNode): XmlElement[] =>
  nodes(path, within).filter(node => node instanceof XmlElement)

const attribute = (element: XmlElement, name: string): string => {
  const value = element.attr(name)?.value
  if (value === undefined) throw new Error(`line ${element.line}: <${element.name}> has no ${name}`)
  return value
}

const names = (path: string, within?: XmlElement): string[] =>
  elements(path, within).map(element => attribute(element, 'name'))

/** The fields that a formula names, such as `[code]` in `COUNT([code])`; not what stands in quotes and comments. */
const fieldsIn = (formula: string): string[] =>
  formula.replace(/"[^"]*"|\/\/.*/g, '').match(/\[[^\]]+\]/g) ?? []

const sheets = [
  'Products by NOVA group',
  'Products by Nutri-Score',
  'Brands by degree of processing',
  'Products by environmental score',
]

describe('Data-viz.twb', () => {
  test('connects to the Thrift server of a stack with the default ports, by user name alone', () => {
    const [connection, ...others] = elements('//named-connection/connection')
    expect(others).toEqual([])
    expect(
      Object.fromEntries((connection?.attrs ?? []).map(({ name, value }) => [name, value])),
    ).toMatchObject({
      class: 'spark',
      server: 'localhost',
      port: '10000',
      schema: 'default',
      // 2 is "Username"; the server takes any.
      'authentication-type': '2',
      username: 'offstream',
    })
  })

  test('reads the view Products with one custom SQL statement', () => {
    expect(
      elements("//relation[@type='text']").map(relation => [attribute(relation, 'name'), relation.content]),
    ).toEqual([
      ['Products SQL', 'SELECT * FROM Products'],
      ['Products SQL', 'SELECT * FROM Products'],
    ])
    expect(elements("//relation[not(@type='text')]")).toEqual([])
  })

  test('declares every column of the product once, in its order, with its type and a readable caption', () => {
    const columns = elements(
      "/workbook/datasources/datasource/column[not(calculation) and not(@datatype='table')]",
    )
    expect(columns.map(column => [attribute(column, 'name'), attribute(column, 'datatype')])).toEqual(
      productColumns.map(name => [`[${name}]`, datatypeOf(name)]),
    )
    for (const column of columns) expect(attribute(column, 'caption')).toMatch(/^[A-Z][^_]+$/)
  })

  test('expects from the server the columns that it declares', () => {
    const records = elements("//metadata-record[@class='column']")
    const textOf = (record: XmlElement, tag: string) => elements(tag, record)[0]?.content
    expect(
      records.map(record =>
        ['remote-name', 'local-name', 'ordinal', 'local-type'].map(tag => textOf(record, tag)),
      ),
    ).toEqual(productColumns.map((name, index) => [name, `[${name}]`, String(index + 1), datatypeOf(name)]))
  })

  test('has one sheet for each question, all on the dashboard, with the attribution', () => {
    expect(names('/workbook/worksheets/worksheet')).toEqual(sheets)
    expect(names('/workbook/dashboards/dashboard')).toHaveLength(1)
    expect(names('//dashboard//zone[@name]')).toEqual(sheets)
    expect(elements('//dashboard//zone//run').map(run => run.content)).toContain(
      'Data: Open Food Facts (ODbL)',
    )
    expect(names("//window[@class='dashboard']/viewpoints/viewpoint")).toEqual(sheets)
    expect(names("//window[@class='worksheet']")).toEqual(sheets)
  })

  test.each(sheets)('the sheet %s uses fields that exist', name => {
    const [sheet] = elements(`//worksheet[@name='${name}']`)
    const [source] = elements('/workbook/datasources/datasource')
    if (sheet === undefined || source === undefined)
      throw new Error('the sheet or its data source is missing')

    // A column that a sheet repeats must be the data source's, letter for letter: Tableau takes the sheet's.
    const declared = elements('column', source).map(asText)
    const columns = elements('.//datasource-dependencies/column', sheet)
    expect(columns.filter(column => !declared.includes(asText(column)))).toEqual([])

    const columnNames = columns.map(column => attribute(column, 'name'))
    const instances = elements('.//datasource-dependencies/column-instance', sheet)
    const calculations = nodes('.//calculation/@formula | .//groupfilter/@expression', sheet)
    const needed = [
      ...instances.map(instance => attribute(instance, 'column')),
      ...calculations.flatMap(formula => fieldsIn(formula.content)),
    ]
    expect(needed.filter(column => !columnNames.includes(column))).toEqual([])

    const instanceNames = instances.map(instance => attribute(instance, 'name'))
    const placed = [
      './/rows | .//cols | .//slices/column',
      './/encodings/*/@column | .//filter/@column | .//manual-sort/@column | .//computed-sort/@column',
      './/computed-sort/@using',
    ].flatMap(path => nodes(path, sheet).map(({ content }) => content))
    const prefix = `[${attribute(source, 'name')}].`
    expect(placed.filter(field => !field.startsWith(prefix))).toEqual([])
    const used = new Set([
      ...placed.map(field => field.slice(prefix.length)),
      ...nodes('.//groupfilter/@level', sheet).map(({ content }) => content),
    ])
    expect([...used].sort()).toEqual(instanceNames.sort())
  })

  test('draws grades and groups in the colours of the charts', () => {
    const colours = elements('/workbook/datasources/datasource/style//encoding').map(encoding => [
      attribute(encoding, 'field'),
      elements('map', encoding).map(map => attribute(map, 'to')),
    ])
    const range = (chart: string) =>
      /"range": (\[[^\]]+\])/.exec(readFileSync(join(root, 'charts', `${chart}.json`), 'utf8'))?.[1] ?? 'null'
    expect(colours).toEqual([
      ['[none:nutriscore_grade:nk]', JSON.parse(range('nutri-score-ranking'))],
      ['[none:nova_group:ok]', JSON.parse(range('nova-distribution'))],
      ['[none:environmental_score_grade:nk]', JSON.parse(range('environmental-impact'))],
    ])
  })

  const schemas = join(root, '../shared/tableau')
  test.skipIf(!existsSync(schemas))("is valid by Tableau's schema (needs ../shared/tableau)", () => {
    xmlRegisterFsInputProviders()
    // Tableau's schema imports two namespaces without saying where they are; the stubs beside it are theirs.
    const whole = XmlDocument.fromString(`<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
      <xs:import namespace="http://www.tableausoftware.com/xml/user" schemaLocation="${schemas}/user_ns.xsd"/>
      <xs:import namespace="http://www.w3.org/XML/1998/namespace" schemaLocation="${schemas}/xml_ns.xsd"/>
      <xs:include schemaLocation="${schemas}/twb_2026.1.0.xsd"/>
    </xs:schema>`)
    const validator = XsdValidator.fromDoc(whole)
    try {
      expect(problemsOf(validator)).toEqual([])
    } finally {
      validator.dispose()
      whole.dispose()
    }
  })
})

const asText = (element: XmlElement): string => element.toString({ format: false }).replace(/>\s+</g, '><')

const datatypeOf = (column: string): string => {
  if (/_100g$/.test(column)) return 'real'
  if (['additives_n', 'nova_group', 'last_modified_t', 'rev'].includes(column)) return 'integer'
  return ['as_of', 'observed_at'].includes(column) ? 'datetime' : 'string'
}

const problemsOf = (validator: XsdValidator): readonly string[] => {
  try {
    validator.validate(workbook)
    return []
  } catch (error) {
    if (!(error instanceof XmlValidateError)) throw error
    return error.details.map(({ line, message }) => `line ${line}: ${message}`)
  }
}
