import { createHash } from 'node:crypto'
import { fieldElement, idOf, instanceElement, instanceName, neededFields } from './datasource.ts'
import { filters, type Sheet, type Use } from './sheets.ts'
import { type Element, element } from './xml.ts'

/** A line break in formatted text. */
const lineBreak = element('run', {}, 'Æ\n')

/** An id that is the same for the same name. */
export const simpleId = (name: string): Element => {
  const hex = createHash('sha256').update(name).digest('hex').toUpperCase()
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ]
  return element('simple-id', { uuid: `{${parts.join('-')}}` })
}

/** The filters of a sheet: those of the dashboard apply to sheets of products. */
const filtersOf = ({ source }: Sheet): readonly Use[] => (source.id === 'products' ? filters : [])

export const worksheetElement = (sheet: Sheet): Element => {
  const { source, mark, rows, cols, sort } = sheet
  const qualified = (use: Use): string => `[${idOf(source)}].${instanceName(source, use)}`
  const shelf = (uses: readonly Use[]): string =>
    uses.length === 1
      ? uses.map(qualified).join('')
      : uses.map(qualified).reduceRight((rest, one) => `(${one} + ${rest})`)
  const used = usesOf(sheet)
  return element('worksheet', { name: sheet.name }, [
    element('layout-options', {}, [
      element('title', {}, [
        element('formatted-text', {}, [
          element('run', { bold: 'true', fontsize: '12' }, sheet.question),
          lineBreak,
          element('run', { fontcolor: '#57606a', fontsize: '9' }, sheet.definition),
        ]),
      ]),
    ]),
    element('table', {}, [
      element('view', {}, [
        element('datasources', {}, [element('datasource', { caption: source.caption, name: idOf(source) })]),
        element('datasource-dependencies', { datasource: idOf(source) }, [
          ...neededFields(source, used).map(fieldElement),
          ...used.map(use => instanceElement(source, use)),
        ]),
        ...filterElements(sheet, qualified),
        ...manualSorts(sheet, qualified),
        ...(sort === undefined
          ? []
          : [
              element('computed-sort', {
                column: qualified(sort.dimension),
                direction: 'DESC',
                using: qualified(sort.by),
              }),
            ]),
        ...slices(sheet, qualified),
        element('aggregation', { value: 'true' }),
      ]),
      element('style'),
      element('panes', {}, [
        element('pane', { 'selection-relaxation-option': 'selection-relaxation-allow' }, [
          element('view', {}, [element('breakdown', { value: 'auto' })]),
          element('mark', { class: mark }),
          ...encodings(sheet, qualified),
          tooltip(sheet, qualified),
          ...labels(sheet),
        ]),
      ]),
      element('rows', {}, shelf(rows)),
      element('cols', {}, shelf(cols)),
    ]),
    simpleId(`worksheet ${sheet.name}`),
  ])
}

type Qualified = (use: Use) => string

const key = ({ field, derivation }: Use): string => `${derivation}:${field}`

/** All uses of fields in a sheet, each once. */
const usesOf = (sheet: Sheet): readonly Use[] => {
  const { rows, cols, color, text, size, detail, top, sort } = sheet
  const all = [
    ...[...rows, ...cols, ...filtersOf(sheet)],
    ...[color, text, size, detail, top?.dimension, sort?.dimension, sort?.by].filter(
      use => use !== undefined,
    ),
  ]
  return [...new Map(all.map(use => [key(use), use])).values()]
}

const filterElements = (sheet: Sheet, qualified: Qualified): Element[] => {
  const { source, top } = sheet
  const members = (use: Use): Element =>
    element('groupfilter', {
      function: 'level-members',
      level: instanceName(source, use),
      'user:ui-enumeration': 'all',
      'user:ui-marker': 'enumerate',
    })
  const isTop = (use: Use): boolean => top !== undefined && key(use) === key(top.dimension)
  return [
    ...filtersOf(sheet)
      // A dimension has one filter. If a sheet shows only the largest values of a dimension, the dashboard cannot filter it.
      .filter(use => !isTop(use))
      .map(use =>
        element(
          'filter',
          // In the context, so that a share is one of the filtered products.
          {
            ...{ class: 'categorical', column: qualified(use), context: 'true' },
            'filter-group': 2 + filters.indexOf(use),
          },
          [members(use)],
        ),
      ),
    ...(top === undefined
      ? []
      : [
          element('filter', { class: 'categorical', column: qualified(top.dimension) }, [
            element(
              'groupfilter',
              {
                ...{ count: top.count, end: 'top', function: 'end', units: 'records' },
                ...{ 'user:ui-marker': 'end', 'user:ui-top-by-field': 'true' },
              },
              [
                element(
                  'groupfilter',
                  {
                    ...{ direction: 'DESC', expression: `COUNT([${top.by}])`, function: 'order' },
                    'user:ui-marker': 'order',
                  },
                  [members(top.dimension)],
                ),
              ],
            ),
          ]),
        ]),
  ]
}

const slices = (sheet: Sheet, qualified: Qualified): Element[] => {
  const uses = [...filtersOf(sheet), ...(sheet.top === undefined ? [] : [sheet.top.dimension])]
  const columns = [...new Set(uses.map(qualified))]
  return columns.length === 0
    ? []
    : [
        element(
          'slices',
          {},
          columns.map(column => element('column', {}, column)),
        ),
      ]
}

/** Scores are in the order of their aliases, best to worst. */
const manualSorts = ({ source, rows, cols, color }: Sheet, qualified: Qualified): Element[] => {
  const scored = [...rows, ...cols, ...(color === undefined ? [] : [color])].flatMap(use => {
    const { aliases } = source.columns.find(({ name }) => name === use.field) ?? {}
    return aliases === undefined ? [] : [[qualified(use), Object.keys(aliases)] as const]
  })
  return [...new Map(scored)].map(([column, values]) =>
    element('manual-sort', { column, direction: 'ASC' }, [
      element(
        'dictionary',
        {},
        values.map(value => element('bucket', {}, value)),
      ),
    ]),
  )
}

const encodings = ({ color, text, size, detail }: Sheet, qualified: Qualified): Element[] => {
  const all = Object.entries({ color, size, text, lod: detail }).flatMap(([name, use]) =>
    use === undefined ? [] : [element(name, { column: qualified(use) })],
  )
  return all.length === 0 ? [] : [element('encodings', {}, all)]
}

/** A line for each dimension and value of a mark, with its caption. */
const tooltip = (sheet: Sheet, qualified: Qualified): Element => {
  const { source, rows, cols, color, text, size, detail } = sheet
  const fields = [...source.columns, ...source.calculations]
  const uses = [...rows, ...cols, ...[color, size, text, detail].filter(use => use !== undefined)]
  const shown = [...new Map(uses.map(use => [key(use), use])).values()]
  const lines = shown.map(use => [
    element('run', { fontcolor: '#57606a' }, `${fields.find(({ name }) => name === use.field)?.caption}:\t`),
    element('run', { bold: 'true' }, `<${qualified(use)}>`),
  ])
  return element('customized-tooltip', {}, [
    element(
      'formatted-text',
      {},
      lines.flatMap((line, at) => (at === 0 ? line : [lineBreak, ...line])),
    ),
  ])
}

const labels = ({ text }: Sheet): Element[] =>
  text === undefined
    ? []
    : [
        element('style', {}, [
          element('style-rule', { element: 'mark' }, [
            element('format', { attr: 'mark-labels-show', value: 'true' }),
            element('format', { attr: 'mark-labels-cull', value: 'true' }),
          ]),
        ]),
      ]
