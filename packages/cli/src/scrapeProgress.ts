import type { ProduceCounts, SourceEvent } from '@offstream/pipeline'
import chalk from 'chalk'
import { formatDuration, plural, printable, progressBar } from './format.ts'
import type { Output } from './output.ts'

/** How often a run that nobody watches on a terminal says how far it is. */
const plainEveryMs = 5_000

/** Tells how far a run over a source is: a bar on a terminal, now and then a line elsewhere; skips as they come. */
export class ScrapeProgress {
  private readonly output: Output
  /** How many products are wanted; null for all that there are. */
  private readonly limit: number | null
  private readonly began = Date.now()
  private toldAt = Date.now()
  /** How many products an earlier run had delivered that this one goes on with; null where it begins anew. */
  private resumed: number | null = null
  /** What may have moved on the site's pages. */
  private readonly alarms: object[] = []

  constructor(output: Output, limit: number | null) {
    this.output = output
    this.limit = limit
  }

  readonly progress = (counts: ProduceCounts, event: SourceEvent | null): void => {
    if (event?.kind === 'resumed') this.resumed = event.done
    if (event?.kind === 'layout') {
      const { kind: _, ...alarm } = event
      this.alarms.push(alarm)
    }
    const line = event === null ? null : lineOf(event)
    if (line !== null) this.output.event({ ...event }, line)
    this.output.live(this.line(counts))
    if (this.output.mode === 'terminal' || Date.now() - this.toldAt < plainEveryMs) return
    this.toldAt = Date.now()
    this.output.event({ kind: 'progress', ...counts, seconds: this.seconds() }, this.line(counts))
  }

  /**
   * What the whole run came to.
   * @param choice what was asked for, as it was written: "`--country fr`"; empty for everything
   */
  readonly summary = (counts: ProduceCounts, done: string, choice = ''): string => {
    const { delivered, removed, fetched, skipped, unwanted } = counts
    const took = Date.now() - this.began
    const missing = fetched - delivered - removed
    const unsent = missing > 0 ? `, ${missing} fetched but not ${done}` : ''
    const gone = removed > 0 ? `, ${removed} removed` : ''
    const left = skipped > 0 ? `, ${skipped} skipped` : ''
    const rate = took > 0 && delivered > 0 ? `, ${perSecond(delivered, took)}` : ''
    const moved =
      this.alarms.length > 0 ? `, ${plural(this.alarms.length, 'field')} hardly filled any more` : ''
    const others = unwanted > 0 ? `, ${unwanted} did not match ${choice}` : ''
    const nothing = unwanted > 0 && delivered + removed === 0 ? `${chalk.yellow('!')} ` : ''
    return `${nothing}${plural(delivered, 'product')} ${done} in ${formatDuration(took)}${rate}${gone}${left}${unsent}${moved}${others}`
  }

  readonly seconds = (): number => (Date.now() - this.began) / 1_000

  /** What the result of the run has beside the counts. */
  readonly result = (): Readonly<Record<string, unknown>> => ({
    ...(this.resumed === null ? {} : { doneBefore: this.resumed }),
    ...(this.alarms.length === 0 ? {} : { layout: this.alarms }),
  })

  private readonly line = ({ found, delivered, removed, skipped }: ProduceCounts): string => {
    const elapsedMs = Date.now() - this.began
    // A list is walked page by page, and what is found grows up to what is wanted. A run that goes on has less to do.
    const total = this.resumed === null ? (this.limit ?? found) : found
    const done = delivered + removed + skipped
    const left =
      done > 0 && total > done ? ` · ${formatDuration((elapsedMs / done) * (total - done))} left` : ''
    const rate = delivered > 0 ? ` · ${perSecond(delivered, elapsedMs)}` : ''
    const gone = removed > 0 ? ` · ${removed} removed` : ''
    const skips = skipped > 0 ? ` · ${skipped} skipped` : ''
    return `${progressBar(done, total)} ${delivered} of ${total} products${rate}${left}${gone}${skips}`
  }
}

/** What is told of an event as it comes; null for those that are told by their counts. */
const lineOf = (event: SourceEvent): string | null => {
  switch (event.kind) {
    case 'resumed': {
      const since = formatDuration(Date.now() - event.startedAt.getTime())
      return `Going on where it was: ${event.done} of ${event.listed} products done before, begun ${since} ago; \`--fresh\` starts over`
    }
    case 'waiting': {
      const wait = event.asked ? 'The site asks to wait' : 'Waiting'
      return `${chalk.yellow('!')} ${wait} ${formatDuration(event.ms)}: ${printable(event.reason)}`
    }
    case 'layout':
      return `${chalk.yellow('!')} The site may look otherwise now: \`${event.field}\` is on ${percent(event.rate)} of its last pages, usually on ${percent(event.usual)}; it is read by \`${event.selector}\``
    case 'skipped':
      return `${chalk.yellow('!')} skipped ${printable(event.address)}: ${printable(event.reason)}`
    case 'found':
    case 'fetched':
    case 'unwanted':
      return null
  }
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

const perSecond = (count: number, ms: number): string => {
  const rate = count / (ms / 1_000)
  return rate >= 1 ? `${rate.toFixed(1)} a second` : `${(rate * 60).toFixed(1)} a minute`
}
