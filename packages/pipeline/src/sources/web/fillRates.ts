import { join } from 'node:path'
import { readState, updateState } from '@offstream/runtime'
import { z } from 'zod'
import type { Product } from '../../product/product.ts'
import { fieldSelectors, type WatchedField } from './pages.ts'

/** A field that is filled on far fewer pages than before: most likely the layout of the site has changed. */
export interface LayoutAlarm {
  readonly field: WatchedField
  /** The selector that the field is read with. */
  readonly selector: string
  /** The share of pages that fill the field, on the last pages and before; 0 to 1. */
  readonly rate: number
  readonly typicalRate: number
}

/** The number of pages that were read, and of those that filled a field. */
const Count = z.object({ pages: z.number().nonnegative(), filled: z.number().nonnegative() })
type Count = z.infer<typeof Count>
const Counts = z.record(z.string(), Count)
const Written = z.object({ hosts: z.record(z.string(), Counts) })

/** An alarm looks at so many product pages in a row. */
const windowSize = 40
/**
 * A field raises an alarm if its rate is at most a quarter of the typical rate, and if it is expected on at least 16
 * pages of a window. By chance, this happens in one of a hundred thousand windows.
 */
const alarmShare = 0.25
const minExpectedPages = 16
/** Newer pages count more: the typical rate is that of about the last thousand pages. */
const maxRememberedPages = 1_000

/** The minimum of the typical rate on every host: every product has these fields. */
const minTypicalRates: Readonly<Partial<Record<WatchedField, number>>> = { product_name: 0.8, lang: 0.9 }

const fields = Object.keys(fieldSelectors) as WatchedField[]

/**
 * Counts how many pages of a crawl fill each field of the record, and decides when a field raises an alarm. A missing
 * field is an ordinary value (null), so without the alarm a changed layout would not be noticed.
 */
export class FillRates {
  private readonly typicalRates: Readonly<Partial<Record<string, number>>>
  private readonly window: Product[] = []
  private readonly counts = new Map<WatchedField, { pages: number; filled: number }>()
  private readonly alarmed = new Set<WatchedField>()

  /** @param known the counts of earlier crawls of the host */
  constructor(known: Readonly<Record<string, Count>>) {
    this.typicalRates = Object.fromEntries(
      fields.map(field => {
        const { pages, filled } = known[field] ?? { pages: 0, filled: 0 }
        return [field, Math.max(minTypicalRates[field] ?? 0, pages < windowSize ? 0 : filled / pages)]
      }),
    )
  }

  /** Adds the record of a page. @returns the fields that raise an alarm with this page; each does once a crawl */
  readonly add = (product: Product): readonly LayoutAlarm[] => {
    for (const field of fields) {
      const count = this.counts.get(field) ?? { pages: 0, filled: 0 }
      count.pages += 1
      if (product[field] !== null) count.filled += 1
      this.counts.set(field, count)
    }
    this.window.push(product)
    if (this.window.length > windowSize) this.window.shift()
    return this.window.length < windowSize ? [] : fields.flatMap(this.alarm)
  }

  /** The counts of this crawl for later ones, without the fields that raised an alarm. */
  readonly learnt = (): Readonly<Record<string, Count>> =>
    Object.fromEntries([...this.counts].filter(([field]) => !this.alarmed.has(field)))

  private readonly alarm = (field: WatchedField): LayoutAlarm[] => {
    const typicalRate = this.typicalRates[field] ?? 0
    const rate = this.window.filter(product => product[field] !== null).length / windowSize
    const isExpected = typicalRate * windowSize >= minExpectedPages
    if (!isExpected || rate > typicalRate * alarmShare || this.alarmed.has(field)) return []
    this.alarmed.add(field)
    return [{ field, selector: fieldSelectors[field], rate, typicalRate }]
  }
}

/** The counts of earlier crawls, by host, in a file. */
export class FillMemory {
  private readonly file: string

  constructor(directory: string) {
    this.file = join(directory, 'fill-rates.json')
  }

  /** The counts of a host (with its port, as in the address); empty if the file is damaged. */
  readonly read = async (host: string): Promise<Readonly<Record<string, Count>>> =>
    (await readState(this.file, Written))?.hosts[host] ?? {}

  /** Adds the counts of a crawl. Several crawls may do this at the same time. */
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
  const share = Math.min(1, maxRememberedPages / Math.max(1, pages))
  return { pages: pages * share, filled: filled * share }
}
