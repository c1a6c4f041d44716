import { pause } from '@offstream/runtime'

/** A view of the dashboard, as the page loads it: addresses, and the time between two loads. */
interface View {
  readonly addresses: readonly string[]
  readonly intervalMs: number
  /** An address whose response does not end. */
  readonly stream?: string
}

const products = (sort: string, direction: string, search = ''): string =>
  `/api/products?search=${search}&sort=${sort}&direction=${direction}&page=1`

/** The intervals are those of the page (`useLoaded`). */
const viewsOf = async (address: string): Promise<readonly View[]> => {
  const charts = await json<{ readonly charts: readonly { readonly name: string }[] }>(
    `${address}/api/charts`,
  )
  const newest = await json<{ readonly rows: readonly { readonly code: string }[] }>(
    `${address}${products('observed_at', 'desc')}`,
  )
  return [
    { addresses: [], intervalMs: 1_000 },
    { addresses: [], intervalMs: 1_000, stream: '/api/logs?name=products-stream&level=info&search=' },
    { addresses: ['/api/messages', '/api/rejected'], intervalMs: 2_000 },
    { addresses: ['/api/batches'], intervalMs: 1_000 },
    { addresses: ['/api/table'], intervalMs: 1_000 },
    { addresses: [products('observed_at', 'desc')], intervalMs: 1_000 },
    { addresses: [products('product_name', 'asc')], intervalMs: 1_000 },
    { addresses: [products('observed_at', 'desc', 'bio')], intervalMs: 1_000 },
    { addresses: [`/api/products/${newest.rows[0]?.code}`], intervalMs: 1_000 },
    {
      addresses: ['/api/charts', ...charts.charts.map(({ name }) => `/charts/${name}?theme=light`)],
      intervalMs: 20_000,
    },
  ]
}

/** Viewers that are open. */
export interface Viewers {
  /** How often they have loaded the data of their views. */
  readonly loads: () => number
  /** Resolves when all are closed. */
  readonly closed: Promise<void>
}

/** Opens viewers, each with another view, until `stop` is aborted. */
export const openViewers = (address: string, count: number, stop: AbortSignal): Viewers => {
  let loads = 0
  const onLoad = () => {
    loads += 1
  }
  const open = async (): Promise<void> => {
    const views = count === 0 ? [] : await viewsOf(address)
    await Promise.all(
      views
        .slice(0, count)
        .flatMap(view => [
          follow(address, view, stop, onLoad),
          ...(view.stream === undefined ? [] : [readAll(`${address}${view.stream}`, stop, () => undefined)]),
        ]),
    )
  }
  const closed = open()
  // The caller awaits it after the measurement.
  closed.catch(() => undefined)
  return { loads: () => loads, closed }
}

/** Follows the state, and loads the data of the view again when the table has changed, as the page does. */
const follow = async (
  address: string,
  { addresses, intervalMs }: View,
  stop: AbortSignal,
  onLoad: () => void,
): Promise<void> => {
  let [version, loaded] = [-1, -1]
  const loadAgain = async () => {
    while (!stop.aborted) {
      const startedAt = Date.now()
      if (version !== loaded) {
        loaded = version
        await Promise.all(addresses.map(path => load(address + path, stop)))
        onLoad()
      }
      const waitMs = Math.max(100, startedAt + intervalMs - Date.now())
      await pause(waitMs, stop)
    }
  }
  const state = readAll(`${address}/api/live`, stop, text => {
    version = Number(/"tableVersion":(\d+)/.exec(text)?.[1] ?? version)
  })
  await Promise.all([state, loadAgain()])
}

const load = async (address: string, stop: AbortSignal): Promise<void> => {
  try {
    const response = await fetch(address, { signal: stop })
    const text = await response.text()
    if (!response.ok) throw new Error(`${address}: ${response.status} ${text}`)
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

/** Reads a response until `stop` is aborted. */
const readAll = async (address: string, stop: AbortSignal, onText: (text: string) => void): Promise<void> => {
  const decoder = new TextDecoder()
  try {
    const { body } = await fetch(address, { signal: stop })
    for await (const chunk of body ?? []) onText(decoder.decode(chunk, { stream: true }))
  } catch (error) {
    if (!stop.aborted) throw error
  }
}

const json = async <T>(address: string): Promise<T> => (await (await fetch(address)).json()) as T
