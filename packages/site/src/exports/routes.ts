import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import { type Answer, redirect } from '../answer.ts'
import type { CatalogueProduct } from '../catalogue.ts'
import type { Route, SiteRequest } from '../route.ts'
import type { Shelf } from '../shelf.ts'
import { csvHead, csvLine } from './csv.ts'
import { changedAt, deltasOf } from './deltas.ts'

/** A file as it is served: whole, so that a broken download can go on and a part can be asked for. */
interface ExportFile {
  readonly type: string
  readonly content: Buffer
}

type Make = (shelf: Shelf, name: string) => Promise<ExportFile | null>

/** The products as the MongoDB export has them, one a line. */
const jsonl = async (products: readonly CatalogueProduct[]): Promise<ExportFile> => ({
  type: 'application/gzip',
  content: await gzipped(products.map(product => `${JSON.stringify({ _id: product.code, ...product })}\n`)),
})

const csv: Make = async shelf => ({
  type: 'application/gzip',
  content: await gzipped([csvHead(), ...shelf.listed().map(csvLine)]),
})

const parquet: Make = async shelf => {
  // Loaded only here: pages need none of it.
  const { parquetOf } = await import('./parquet.ts')
  return { type: 'application/vnd.apache.parquet', content: parquetOf(shelf.all()) }
}

const deltaIndex: Make = async shelf => ({
  type: 'text/plain; charset=utf-8',
  content: Buffer.from(
    deltasOf(shelf.listed())
      .map(({ name }) => `${name}\n`)
      .join(''),
  ),
})

const delta: Make = async (shelf, name) => {
  const found = deltasOf(shelf.listed()).find(each => each.name === name)
  return found === undefined ? null : jsonl(found.products)
}

const gzipped = (lines: readonly string[]): Promise<Buffer> => buffer(Readable.from(lines).pipe(createGzip()))

/** What was made of each shelf, as long as its products stay as they are. */
const made = new WeakMap<Shelf, { version: number; files: Map<string, Promise<ExportFile | null>> }>()

const exportFile =
  (make: Make) =>
  async ({ shelf, url }: SiteRequest): Promise<Answer | null> => {
    const known = made.get(shelf)
    const current =
      known?.version === shelf.version() ? known : { version: shelf.version(), files: new Map() }
    made.set(shelf, current)
    const name = url.pathname.replace(/^.*\//, '')
    const making = current.files.get(name) ?? make(shelf, name)
    current.files.set(name, making)
    const file = await making
    return file === null ? null : answerOf(file, shelf)
  }

const answerOf = ({ type, content }: ExportFile, shelf: Shelf): Answer => ({
  status: 200,
  headers: {
    'content-type': type,
    'accept-ranges': 'bytes',
    etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`,
    'last-modified': new Date(newestChange(shelf) * 1000).toUTCString(),
  },
  body: content,
})

const newestChange = (shelf: Shelf): number =>
  shelf.all().reduce((newest, each) => Math.max(newest, changedAt(each)), 0)

/** A large export: under `/data`, and where there is a storage, in its root and nowhere else. */
const large = (name: string, make: Make): readonly Route[] => {
  const answer = exportFile(make)
  const file = name.replaceAll('.', '\\.')
  return [
    {
      path: new RegExp(`^/data/${file}$`),
      answer: request => (request.storage === null ? answer(request) : redirect(inStorage(request, name))),
    },
    {
      path: new RegExp(`^/${file}$`),
      answer: request => (request.url.hostname === request.storage ? answer(request) : null),
    },
  ]
}

const inStorage = ({ url, storage }: SiteRequest, name: string): string => {
  const address = new URL(`/${name}`, url)
  address.hostname = storage ?? url.hostname
  return address.href
}

/** The exports, under the names that they have on the real site; the Parquet file is elsewhere there, under this name. */
export const exportRoutes: readonly Route[] = [
  ...large('openfoodfacts-products.jsonl.gz', shelf => jsonl(shelf.listed())),
  ...large('en.openfoodfacts.org.products.csv.gz', csv),
  { path: /^\/data\/food\.parquet$/, answer: exportFile(parquet) },
  { path: /^\/data\/delta\/index\.txt$/, answer: exportFile(deltaIndex) },
  { path: /^\/data\/delta\/openfoodfacts_products_\d+_\d+\.json\.gz$/, answer: exportFile(delta) },
]
