import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'
import type { CatalogueProduct } from '../catalogue.ts'
import type { ProductStore } from '../productStore.ts'
import { redirect, type SiteResponse } from '../response.ts'
import type { Route, SiteRequest } from '../route.ts'
import { csvHead, csvLine } from './csv.ts'
import { changedAt, deltasOf } from './deltas.ts'

/** A complete file, so that clients can resume a download or request a range. */
interface ExportFile {
  readonly type: string
  readonly content: Buffer
}

type Make = (store: ProductStore, name: string) => Promise<ExportFile | null>

/** The products in the format of the MongoDB export, one per line. */
const jsonl = async (products: readonly CatalogueProduct[]): Promise<ExportFile> => ({
  type: 'application/gzip',
  content: await gzipped(products.map(product => `${JSON.stringify({ _id: product.code, ...product })}\n`)),
})

const csv: Make = async store => ({
  type: 'application/gzip',
  content: await gzipped([csvHead(), ...store.listed().map(csvLine)]),
})

const parquet: Make = async store => {
  // Loaded on demand, because pages do not need it.
  const { parquetOf } = await import('./parquet.ts')
  return { type: 'application/vnd.apache.parquet', content: parquetOf(store.all()) }
}

const deltaIndex: Make = async store => ({
  type: 'text/plain; charset=utf-8',
  content: Buffer.from(
    deltasOf(store.listed())
      .map(({ name }) => `${name}\n`)
      .join(''),
  ),
})

const delta: Make = async (store, name) => {
  const found = deltasOf(store.listed()).find(each => each.name === name)
  return found === undefined ? null : jsonl(found.products)
}

const gzipped = (lines: readonly string[]): Promise<Buffer> => buffer(Readable.from(lines).pipe(createGzip()))

/** The files of each store, until its products change. */
const made = new WeakMap<ProductStore, { version: number; files: Map<string, Promise<ExportFile | null>> }>()

const exportFile =
  (make: Make) =>
  async ({ store, url }: SiteRequest): Promise<SiteResponse | null> => {
    const known = made.get(store)
    const current =
      known?.version === store.version() ? known : { version: store.version(), files: new Map() }
    made.set(store, current)
    const name = url.pathname.replace(/^.*\//, '')
    const making = current.files.get(name) ?? make(store, name)
    current.files.set(name, making)
    const file = await making
    return file === null ? null : answerOf(file, store)
  }

const answerOf = ({ type, content }: ExportFile, store: ProductStore): SiteResponse => ({
  status: 200,
  headers: {
    'content-type': type,
    'accept-ranges': 'bytes',
    etag: `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`,
    'last-modified': new Date(newestChange(store) * 1000).toUTCString(),
  },
  body: content,
})

const newestChange = (store: ProductStore): number =>
  store.all().reduce((newest, each) => Math.max(newest, changedAt(each)), 0)

/** A large export, at `/data` or, with `storage`, only at the root of that host. */
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

/** The exports with the file names of the real site, which has the Parquet file on another host. */
export const exportRoutes: readonly Route[] = [
  ...large('openfoodfacts-products.jsonl.gz', store => jsonl(store.listed())),
  ...large('en.openfoodfacts.org.products.csv.gz', csv),
  { path: /^\/data\/food\.parquet$/, answer: exportFile(parquet) },
  { path: /^\/data\/delta\/index\.txt$/, answer: exportFile(deltaIndex) },
  { path: /^\/data\/delta\/openfoodfacts_products_\d+_\d+\.json\.gz$/, answer: exportFile(delta) },
]
