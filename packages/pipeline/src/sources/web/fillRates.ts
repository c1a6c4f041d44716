import { join } from 'node:path'
import { readState, updateState } from '@offstream/runtime'
import { z } from 'zod'
import type { Product } from '../../product/product.ts'
import { fieldSelectors, type WatchedField } from './pages.ts'

/** A field that is hardly ever there any more: most likely the site has moved it. */
export interface LayoutAlarm {
  readonly field: WatchedField
  /** By which it is read. */
  readonly selector: string
  /** On what share of the last pages it was there, and is usually; 0 to 1. */
  readonly rate: number
  readonly usual: number
}

/** On how many pages something was looked for, and on how many it was there. */
const Count = z.object({ pages: z.number().nonnegative(), filled: z.number().nonnegative() })
type Count = z.infer<typeof Count>
const Counts = z.record(z.string(), Count)
const Written = z.object({ hosts: z.record(z.string(), Counts) })

/** So many product pages are looked at together. */
const windowSize = 40
/**
 * An alarm wants a quarter of what is usual or less, of a field that is expected on 16 pages of a window at least: by
 * chance that comes once in a hundred thousand windows.
 */
const alarmingShare = 0.25
const fewestExpected = 16
/** Later runs shall count: what is usual is that of the last thousand pages or so. */
const rememberedPages = 1_000

/** What is usual on any host, known without having been there: no product is without these. */
const floors: Readonly<Partial<Record<WatchedField, number>>> = { product_name: 0.8, lang: 0.9 }

const fields = Object.keys(fieldSelectors) as WatchedField[]

/**
 * Watches how many of a crawl's pages fill each field of the record. A field that falls far below what earlier crawls
 * of the host have seen has most likely moved to another place: nothing but this alarm would tell, since a field that
 * is not there is a value like any other.
 */
export class FillRates {
  private readonly usual: Readonly<Partial<Record<string, number>>>
  private readonly last: Product[] = []
  private readonly counts = new Map<WatchedField, { pages: number; filled: number }>()
  private readonly alarmed = new Set<WatchedField>()

  /** @param known what earlier crawls of the host have counted */
  constructor(known: Readonly<Record<string, Count>>) {
    this.usual = Object.fromEntries(
      fields.map(field => {
        const { pages, filled } = known[field] ?? { pages: 0, filled: 0 }
        return [field, Math.max(floors[field] ?? 0, pages < windowSize ? 0 : filled / pages)]
      }),
    )
  }

  /** Takes the record of a page. @returns the fields that alarm from this page on, each once in a crawl */
  readonly take = (product: Product): readonly LayoutAlarm[] => {
    for (const field of fields) {
      const count = this.counts.get(field) ?? { pages: 0, filled: 0 }
      count.pages += 1
      if (product[field] !== null) count.filled += 1
      this.counts.set(field, count)
    }
    this.last.push(product)
    if (this.last.length > windowSize) this.last.shift()
    return this.last.length < windowSize ? [] : fields.flatMap(this.alarm)
  }

  /** What this crawl adds to what is usual; a field that has moved says nothing of that. */
  readonly learnt = (): Readonly<Record<string, Count>> =>
    Object.fromEntries([...this.counts].filter(([field]) => !this.alarmed.has(field)))

  private readonly alarm = (field: WatchedField): LayoutAlarm[] => {
    const usual = this.usual[field] ?? 0
    const rate = this.last.filter(product => product[field] !== null).length / windowSize
    const isExpected = usual * windowSize >= fewestExpected
    if (!isExpected || rate > usual * alarmingShare || this.alarmed.has(field)) return []
    this.alarmed.add(field)
    return [{ field, selector: fieldSelectors[field], rate, usual }]
  }
}

/** What crawls have counted, host by host, in a file. */
export class FillMemory {
  private readonly file: string

  constructor(directory: string) {
    this.file = join(directory, 'fill-rates.json')
  }

  /** @param host with its port, as the address has it. @returns what is known of it; nothing where the file is damaged */
  readonly read = async (host: string): Promise<Readonly<Record<string, Count>>> =>
    (await readState(this.file, Written))?.hosts[host] ?? {}

  /** Adds what a crawl has learnt; two at once both count. */
  readonly add = (host: string, learnt: Readonly<Record<string, Count>>): Promise<void> =>
    updateState(this.file, Written, written => {
      const hosts = written?.hosts ?? {}
      const known = hosts[host] ?? {}
      const counts = Object.entries(learnt).map(([field, more]) => [field, together(known[field], more)])
      return { hosts: { ...hosts, [host]: { ...known, ...Object.fromEntries(counts) } } }
    })
}

const together = (known: Count | undefined, more: Count): Count => {
  const pages = (known?.pages ?? 0) + more.pages
  const filled = (known?.filled ?? 0) + more.filled
  const share = Math.min(1, rememberedPages / Math.max(1, pages))
  return { pages: pages * share, filled: filled * share }
}
