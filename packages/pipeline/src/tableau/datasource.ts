import type { TableauAuth } from '../names.ts'
import type { Field } from './fields.ts'
import type { DataSource, Use } from './sheets.ts'
import { type Element, element } from './xml.ts'

/** The Thrift server, as a workbook describes it. */
export interface Connection {
  readonly server: string
  readonly port: number
  readonly auth: TableauAuth
  readonly schema: string
  /** Whether the server requires TLS; default: no. */
  readonly tls?: boolean
}

/** The attributes of a connection for each way to authenticate, as the driver numbers them. */
const authentication: Readonly<Record<Connection['auth'], Readonly<Record<string, string>>>> = {
  none: { 'authentication-type': '0', 'transport-type': '0', username: '' },
  username: { 'authentication-type': '2', 'transport-type': '1', username: 'offstream' },
  // Tableau prompts for the name and the password.
  ldap: { 'authentication-type': '3', 'transport-type': '1', username: '' },
}

/** The id of a data source in a workbook. */
export const idOf = ({ id }: DataSource): string => `federated.0offstream${id}0000000001`
const objectId = ({ id }: DataSource): string =>
  `_0FF57EA400000000000000000000000${id === 'products' ? 1 : 2}`
const connectionId = 'spark.0offstreamthrift000000000001'
const queryName = ({ id }: DataSource): string => (id === 'products' ? 'Products SQL' : 'Additives SQL')

/** The prefix of the name of an instance for each derivation. */
const prefixes: Readonly<Record<Use['derivation'], string>> = {
  ...{ None: 'none', User: 'usr', Sum: 'sum', Avg: 'avg', Median: 'med', 'Month-Trunc': 'tmn' },
}

const fieldsOf = ({ columns, calculations }: DataSource): readonly Field[] => [...columns, ...calculations]

const fieldOf = (source: DataSource, name: string): Field => {
  const field = fieldsOf(source).find(one => one.name === name)
  if (field === undefined) throw new Error(`the data source ${source.id} has no field ${name}`)
  return field
}

const typeOf = (source: DataSource, { field, derivation }: Use): Field['type'] =>
  derivation === 'None' ? fieldOf(source, field).type : 'quantitative'

/** The name of a field as it is used, such as `[none:nova_group:ok]`. */
export const instanceName = (source: DataSource, use: Use): string =>
  `[${prefixes[use.derivation]}:${use.field}:${{ nominal: 'nk', ordinal: 'ok', quantitative: 'qk' }[typeOf(source, use)]}]`

export const instanceElement = (source: DataSource, use: Use): Element =>
  element('column-instance', {
    column: `[${use.field}]`,
    derivation: use.derivation,
    name: instanceName(source, use),
    pivot: 'key',
    type: typeOf(source, use),
  })

/** The fields that these uses need, with those that their formulas name, in the order of the data source. */
export const neededFields = (source: DataSource, uses: readonly Use[]): readonly Field[] => {
  const needed = new Set<string>()
  const add = (name: string): void => {
    if (needed.has(name)) return
    needed.add(name)
    for (const other of namedIn(fieldOf(source, name).formula ?? '')) add(other)
  }
  for (const { field } of uses) add(field)
  return fieldsOf(source).filter(({ name }) => needed.has(name))
}

/** The fields that a formula names, such as `code` in `COUNT([code])`; not the text in quotes and comments. */
const namedIn = (formula: string): string[] =>
  [...formula.replace(/"[^"]*"|\/\/.*/g, '').matchAll(/\[([^\]]+)\]/g)].map(([, name = '']) => name)

export const fieldElement = (field: Field): Element => {
  const { name, caption, datatype, role, type, formula, format, aliases } = field
  return element(
    'column',
    {
      caption,
      datatype,
      ...(format === undefined ? {} : { 'default-format': format }),
      ...{ name: `[${name}]`, role, type },
    },
    [
      ...(formula === undefined ? [] : [element('calculation', { class: 'tableau', formula })]),
      ...(aliases === undefined
        ? []
        : [
            element(
              'aliases',
              {},
              Object.entries(aliases).map(([key, value]) => element('alias', { key, value })),
            ),
          ]),
    ],
  )
}

/** The data source as a workbook contains it: its connection, its columns and the colours of the scores. */
export const dataSourceElement = (
  source: DataSource,
  connection: Connection,
  attributes: Readonly<Record<string, string>> = {},
): Element => {
  const relation = element(
    'relation',
    { connection: connectionId, name: queryName(source), type: 'text' },
    source.sql,
  )
  const object = element('object', { caption: source.caption.replace(/ \(.*/, ''), id: objectId(source) }, [
    element('properties', { context: '' }, [relation]),
  ])
  const scored = source.columns.filter(({ name }) => palettes[name] !== undefined)
  return element(
    'datasource',
    { caption: source.caption, inline: 'true', name: idOf(source), version: '26.1', ...attributes },
    [
      element('connection', { class: 'federated' }, [
        element('named-connections', {}, [namedConnection(connection)]),
        relation,
        element(
          'metadata-records',
          {},
          source.columns.map((field, at) => metadataRecord(source, field, at + 1)),
        ),
      ]),
      element('aliases', { enabled: 'yes' }),
      ...fieldsOf(source).map(fieldElement),
      element('column', {
        caption: source.caption.replace(/ \(.*/, ''),
        datatype: 'table',
        name: `[__tableau_internal_object_id__].[${objectId(source)}]`,
        role: 'measure',
        type: 'quantitative',
      }),
      ...scored.map(({ name }) => instanceElement(source, { field: name, derivation: 'None' })),
      element('layout', {
        'dim-ordering': 'alphabetic',
        'measure-ordering': 'alphabetic',
        'show-structure': 'true',
      }),
      ...(scored.length === 0
        ? []
        : [
            element('style', {}, [
              element(
                'style-rule',
                { element: 'mark' },
                scored.map(field => colours(source, field)),
              ),
            ]),
          ]),
      element('object-graph', {}, [element('objects', {}, [object])]),
    ],
  )
}

const namedConnection = ({ server, port, auth, schema, tls = false }: Connection): Element =>
  element('named-connection', { caption: server, name: connectionId }, [
    element('connection', {
      ...{ authentication: 'yes', class: 'spark', 'connection-type': '3', dbname: '' },
      ...{
        'odbc-connect-string-extras': '',
        'one-time-sql': '',
        port,
        schema,
        server,
        sslcert: '',
        sslmode: tls ? 'require' : '',
      },
      ...authentication[auth],
    }),
  ])

const remoteTypes = { string: 129, integer: 3, real: 5, datetime: 135 } as const
const aggregations = { string: 'Count', integer: 'Sum', real: 'Sum', datetime: 'Year' } as const
/** Columns of 64 bits, and columns that always have a value. */
const [bigint, required] = [
  ['last_modified_t', 'rev'],
  ['code', 'as_of', 'observed_at', 'source', 'additive'],
]

const metadataRecord = (source: DataSource, { name, datatype }: Field, ordinal: number): Element =>
  element('metadata-record', { class: 'column' }, [
    element('remote-name', {}, name),
    element('remote-type', {}, bigint?.includes(name) ? '20' : String(remoteTypes[datatype])),
    element('local-name', {}, `[${name}]`),
    element('parent-name', {}, `[${queryName(source)}]`),
    element('remote-alias', {}, name),
    element('ordinal', {}, String(ordinal)),
    element('local-type', {}, datatype),
    element('aggregation', {}, aggregations[datatype]),
    element('contains-null', {}, String(!required?.includes(name))),
    element('object-id', {}, `[${objectId(source)}]`),
  ])

const unknown = '#9aa4b0'
/** The colours of the charts, in the order of the aliases. */
const palettes: Readonly<Record<string, readonly string[]>> = {
  nutriscore_grade: ['#038141', '#85bb2f', '#fecb02', '#ee8100', '#e63e11', unknown],
  nova_group: ['#00aa00', '#ffcc00', '#ff6600', '#ff0000', unknown],
  environmental_score_grade: [
    ...['#00673b', '#1e8f4e', '#60ac0e', '#eeae0e', '#ff6f1e', '#df1f1f', '#8f1116'],
    unknown,
  ],
}

const colours = (source: DataSource, { name, aliases = {} }: Field): Element =>
  element(
    'encoding',
    { attr: 'color', field: instanceName(source, { field: name, derivation: 'None' }), type: 'palette' },
    Object.keys(aliases).map((value, at) =>
      element('map', { to: palettes[name]?.[at] ?? unknown }, [element('bucket', {}, value)]),
    ),
  )
