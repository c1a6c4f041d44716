import { type Connection, dataSourceElement, idOf, instanceName } from './datasource.ts'
import { additivesSource, filters, productsSource, type Sheet, sheets, type Use } from './sheets.ts'
import { simpleId, worksheetElement } from './worksheet.ts'
import { documentOf, type Element, element } from './xml.ts'

/** The connection of `Data-viz.twb`: a stack with the default settings. */
const defaultConnection: Connection = {
  ...{ server: '127.0.0.1', port: 10_000, auth: 'username', schema: 'default' },
}

const comment =
  'Written by `offstream tableau`. For Tableau 2026.1 or later with its Spark SQL driver. Start the stack first: `offstream up`.\n' +
  '     The columns are those of the view Products in config/views.sql.'
const versions = { 'source-build': '0.0.0 (0000.0.0.0)', 'source-platform': 'win', version: '26.1' }
const namespace = { 'xmlns:user': 'http://www.tableausoftware.com/xml/user' }
const dashboardName = 'Open Food Facts products'

/** The workbook with the questions of the charts, for a Thrift server at any address: the content of a `.twb` file. */
export const tableauWorkbook = (connection: Connection = defaultConnection): string =>
  documentOf(
    element('workbook', { 'original-version': '26.1', ...versions, ...namespace }, [
      element('document-format-change-manifest', {}, [element('ManifestByVersion')]),
      element('preferences', {}, [
        element('preference', { name: 'ui.encoding.shelf.height', value: '24' }),
        element('preference', { name: 'ui.shelf.height', value: '26' }),
      ]),
      element(
        'datasources',
        {},
        [productsSource, additivesSource].map(source => dataSourceElement(source, connection)),
      ),
      element('worksheets', {}, sheets.map(worksheetElement)),
      element('dashboards', {}, [dashboard()]),
      element('windows', { 'source-height': '30' }, [dashboardWindow(), ...sheets.map(sheetWindow)]),
      element('explain-data', { 'enabled-for-viewer': 'true', 'extreme-values-enabled-for-all': 'false' }, [
        element('explanation-types'),
      ]),
    ]),
    comment,
  )

/** The view `Products` with its connection and captions, for the user's own sheets: the content of a `.tds` file. */
export const tableauDataSource = (connection: Connection = defaultConnection): string =>
  documentOf(
    dataSourceElement(productsSource, connection, {
      'formatted-name': idOf(productsSource),
      ...versions,
      ...namespace,
    }),
    comment,
  )

/** A dashboard has 100,000 units in each direction. */
const whole = 100_000
const [titleHeight, footerHeight, filtersWidth] = [3_000, 2_000, 12_000]
const columns = 2

const dashboard = (): Element => {
  const [width, lines] = [(whole - filtersWidth) / columns, Math.ceil(sheets.length / columns)]
  const height = Math.floor((whole - titleHeight - footerHeight) / lines)
  const [first] = sheets
  const below = { x: 0, y: titleHeight }
  return element('dashboard', { name: dashboardName }, [
    element('style'),
    element('size', {
      ...{ maxheight: '2300', maxwidth: '1500', minheight: '2300', minwidth: '1500', 'sizing-mode': 'fixed' },
    }),
    element('zones', {}, [
      element('zone', { h: whole, id: 2, 'type-v2': 'layout-basic', w: whole, x: 0, y: 0 }, [
        textZone(3, { h: titleHeight, y: 0 }, 'What are the products of Open Food Facts made of?', {
          ...{ bold: 'true', fontsize: '18' },
        }),
        ...sheets.map(({ name }, at) =>
          element('zone', {
            ...{ h: height, id: 10 + at, name, w: width },
            ...{ x: (at % columns) * width, y: below.y + Math.floor(at / columns) * height },
          }),
        ),
        ...filters.map((use, at) =>
          element('zone', {
            ...{
              h: 12_000,
              id: 5 + at,
              mode: 'checkdropdown',
              name: first?.name ?? '',
              param: parameter(use),
            },
            ...{ 'type-v2': 'filter', w: filtersWidth, x: whole - filtersWidth, y: below.y + at * 12_000 },
          }),
        ),
        textZone(4, { h: footerHeight, y: whole - footerHeight }, 'Data: Open Food Facts (ODbL)', {
          ...{ fontcolor: '#57606a', fontsize: '9' },
        }),
      ]),
    ]),
    simpleId('dashboard'),
  ])
}

const parameter = (use: Use): string => `[${idOf(productsSource)}].${instanceName(productsSource, use)}`

const textZone = (
  id: number,
  place: { readonly h: number; readonly y: number },
  text: string,
  font: Readonly<Record<string, string>>,
): Element =>
  element('zone', { h: place.h, id, 'type-v2': 'text', w: whole, x: 0, y: place.y }, [
    element('formatted-text', {}, [element('run', font, text)]),
  ])

const dashboardWindow = (): Element =>
  element('window', { class: 'dashboard', maximized: 'true', name: dashboardName }, [
    element(
      'viewpoints',
      {},
      sheets.map(({ name }) => element('viewpoint', { name }, [element('zoom', { type: 'entire-view' })])),
    ),
    element('active', { id: '-1' }),
    simpleId('window of the dashboard'),
  ])

const sheetWindow = ({ name, source, color }: Sheet): Element => {
  const strip = (size: string, ...cards: Element[]): Element => element('strip', { size }, cards)
  const card = (type: string): Element => element('card', { type })
  const legend =
    color === undefined
      ? []
      : [
          element('edge', { name: 'right' }, [
            strip(
              '240',
              element('card', {
                'pane-specification-id': '0',
                param: `[${idOf(source)}].${instanceName(source, color)}`,
                type: 'color',
              }),
            ),
          ]),
        ]
  return element('window', { class: 'worksheet', name }, [
    element('cards', {}, [
      element('edge', { name: 'left' }, [strip('160', card('pages'), card('filters'), card('marks'))]),
      element(
        'edge',
        { name: 'top' },
        ['columns', 'rows', 'title'].map(type => strip('2147483647', card(type))),
      ),
      ...legend,
    ]),
    simpleId(`window ${name}`),
  ])
}
