import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { XmlDocument, XmlElement, type XmlNode, XmlValidateError, XsdValidator } from 'libxml2-wasm'
import { xmlRegisterFsInputProviders } from 'libxml2-wasm/lib/nodejs.mjs'
import { afterAll, describe, expect, test } from 'vitest'
import { listCharts } from '../charts/charts.ts'
import { titleOf } from '../charts/render.ts'
import { productColumns } from '../product/product.ts'
import { additivesSource, sheets } from './sheets.ts'
import { tableauDataSource, tableauWorkbook } from './workbook.ts'

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

const sheetNames = sheets.map(({ name }) => name)

describe('Data-viz.twb', () => {
  test('is what `offstream tableau` writes by default', async () => {
    await expect(tableauWorkbook()).toMatchFileSnapshot(workbookPath)
  })

  test('connects to the Thrift server of a stack with the default ports, by user name alone', () => {
    expect(connectionsOf(workbook.root)).toEqual([
      expect.objectContaining({
        class: 'spark',
        server: '127.0.0.1',
        port: '10000',
        schema: 'default',
        // 2 is "Username"; the server takes any.
        'authentication-type': '2',
        username: 'offstream',
      }),
      expect.objectContaining({ server: '127.0.0.1', port: '10000' }),
    ])
  })

  test('reads the view Products with one custom SQL statement, and its additives with another', () => {
    const statements = elements("//relation[@type='text']").map(relation => [
      attribute(relation, 'name'),
      relation.content,
    ])
    expect(statements).toEqual([
      ['Products SQL', 'SELECT * FROM Products'],
      ['Products SQL', 'SELECT * FROM Products'],
      ['Additives SQL', additivesSource.sql],
      ['Additives SQL', additivesSource.sql],
    ])
    expect(elements("//relation[not(@type='text')]")).toEqual([])
  })

  test('declares every column of the product once, in its order, with its type and a readable caption', () => {
    const columns = elements(
      "/workbook/datasources/datasource[1]/column[not(calculation) and not(@datatype='table')]",
    )
    expect(columns.map(column => [attribute(column, 'name'), attribute(column, 'datatype')])).toEqual(
      productColumns.map(name => [`[${name}]`, datatypeOf(name)]),
    )
    for (const column of columns) expect(attribute(column, 'caption')).toMatch(/^[A-Z][^_]+$/)
  })

  test('expects from the server the columns that it declares', () => {
    const records = elements("/workbook/datasources/datasource[1]//metadata-record[@class='column']")
    const textOf = (record: XmlElement, tag: string) => elements(tag, record)[0]?.content
    expect(
      records.map(record =>
        ['remote-name', 'local-name', 'ordinal', 'local-type'].map(tag => textOf(record, tag)),
      ),
    ).toEqual(productColumns.map((name, index) => [name, `[${name}]`, String(index + 1), datatypeOf(name)]))
  })

  test('answers the questions of the charts', async () => {
    const charts = await listCharts(join(root, 'charts'))
    expect(new Map(sheets.map(({ chart, question }) => [chart, question]))).toEqual(
      new Map(charts.map(chart => [chart.name, titleOf(chart)])),
    )
    expect(elements('//worksheet/layout-options/title//run[1]').map(run => run.content)).toEqual(
      sheets.map(({ question }) => question),
    )
  })

  test('has all sheets on the dashboard, with filters by country and category and the attribution', () => {
    expect(names('/workbook/worksheets/worksheet')).toEqual(sheetNames)
    expect(names('/workbook/dashboards/dashboard')).toHaveLength(1)
    expect(names("//dashboard//zone[@name and not(@type-v2='filter')]")).toEqual(sheetNames)
    expect(elements("//dashboard//zone[@type-v2='filter']").map(zone => attribute(zone, 'param'))).toEqual([
      expect.stringMatching(/\.\[none:Calculation_country:nk\]$/),
      expect.stringMatching(/\.\[none:Calculation_category:nk\]$/),
    ])
    expect(elements('//dashboard//zone//run').map(run => run.content)).toContain(
      'Data: Open Food Facts (ODbL)',
    )
    expect(names("//window[@class='dashboard']/viewpoints/viewpoint")).toEqual(sheetNames)
    expect(names("//window[@class='worksheet']")).toEqual(sheetNames)
  })

  test('has zones that do not overlap, inside the dashboard', () => {
    const zones = elements('//dashboard//zone/zone').map(zone => {
      const [x = 0, y = 0, w = 0, h = 0] = ['x', 'y', 'w', 'h'].map(name => Number(attribute(zone, name)))
      return { id: attribute(zone, 'id'), x, y, right: x + w, bottom: y + h }
    })
    expect(new Set(zones.map(({ id }) => id)).size).toBe(zones.length)
    expect(zones.filter(({ right, bottom }) => right > 100_000 || bottom > 100_000)).toEqual([])
    const overlaps = zones.flatMap((one, at) =>
      zones
        .slice(at + 1)
        .filter(
          other => one.x < other.right && other.x < one.right && one.y < other.bottom && other.y < one.bottom,
        )
        .map(other => [one.id, other.id]),
    )
    expect(overlaps).toEqual([])
  })

  test('filters every sheet of products by country and by category, except one that shows the largest of them', () => {
    const filtered = elements('//worksheet').map(sheet => [
      attribute(sheet, 'name'),
      elements('.//filter[@filter-group]', sheet).map(filter => attribute(filter, 'filter-group')),
    ])
    expect(Object.fromEntries(filtered)).toEqual({
      ...Object.fromEntries(sheetNames.map(name => [name, ['2', '3']])),
      ...{ Additives: [], Completeness: ['3'], 'Sugars and fat': ['2'] },
      'Environmental score by category': ['2'],
    })
  })

  test.each(sheets)('the sheet $name uses fields that exist', ({ name, source: { id } }) => {
    const [sheet] = elements(`//worksheet[@name='${name}']`)
    const [source] = elements(`/workbook/datasources/datasource[contains(@name, '${id}')]`)
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
    ].flatMap(path =>
      nodes(path, sheet).flatMap(({ content }) => content.match(/\[[^\]]+\]\.\[[^\]]+\]/g) ?? []),
    )
    const prefix = `[${attribute(source, 'name')}].`
    expect(placed.filter(field => !field.startsWith(prefix))).toEqual([])
    const inTooltip = nodes('.//customized-tooltip//run', sheet).flatMap(
      ({ content }) => /^<(.*)>$/.exec(content)?.[1] ?? [],
    )
    expect(inTooltip.length).toBeGreaterThan(0)
    expect(inTooltip.filter(field => !placed.includes(field))).toEqual([])
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

describe('a workbook for another server', () => {
  const other = (auth: 'none' | 'ldap', server = 'spark.example.org') =>
    rootOf(tableauWorkbook({ server, port: 10_016, auth, schema: 'food' }))

  test('differs only in its connections', () => {
    const lines = new Set(tableauWorkbook().split('\n'))
    const differing = tableauWorkbook({
      server: 'spark.example.org',
      port: 10_016,
      auth: 'ldap',
      schema: 'food',
    })
      .split('\n')
      .filter(line => !lines.has(line))
    expect(differing.map(line => line.trim().split(' ')[0])).toEqual([
      ...['<named-connection', '<connection', '<named-connection', '<connection'],
    ])
  })

  test('has its address, schema and way to authenticate', () => {
    const named = (root: XmlElement) =>
      connectionsOf(root).map(one => [
        ...[one['server'], one['port'], one['schema'], one['authentication-type'], one['username']],
      ])
    expect(named(other('none'))).toEqual(Array(2).fill(['spark.example.org', '10016', 'food', '0', '']))
    expect(named(other('ldap'))).toEqual(Array(2).fill(['spark.example.org', '10016', 'food', '3', '']))
  })

  test('keeps characters with a meaning in XML', () => {
    expect(connectionsOf(other('none', `a'b"<c>&`))[0]).toMatchObject({ server: `a'b"<c>&` })
  })
})

test('a data source has the columns, the calculations and the colours of the workbook', () => {
  const source = rootOf(tableauDataSource())
  expect(attribute(source, 'formatted-name')).toBe(attribute(source, 'name'))
  const [inWorkbook] = elements('/workbook/datasources/datasource')
  expect(elements('*', source).map(asText)).toEqual(elements('*', inWorkbook).map(asText))
})

const documents: XmlDocument[] = []
afterAll(() => {
  for (const document of documents) document.dispose()
})

const rootOf = (xml: string): XmlElement => {
  const document = XmlDocument.fromString(xml)
  documents.push(document)
  return document.root
}

const connectionsOf = (root: XmlElement): Record<string, string>[] =>
  elements('//named-connection/connection', root).map(({ attrs }) =>
    Object.fromEntries(attrs.map(({ name, value }) => [name, value])),
  )

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
