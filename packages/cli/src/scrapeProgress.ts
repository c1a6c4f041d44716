import type { ProduceCounts, SourceEvent } from '@offstream/pipeline'
import chalk from 'chalk'
import { formatDuration, plural, printable, progressBar } from './format.ts'
import type { Output } from './output.ts'

/** Between two lines of progress without a terminal. */
const lineIntervalMs = 5_000

/** Prints the progress of a scrape: a bar on a terminal, otherwise a line at intervals; events as they happen. */
export class ScrapeProgress {
  private readonly output: Output
  /** The requested number of products; null for all. */
  private readonly limit: number | null
  private readonly startedAt = Date.now()
  private printedAt = Date.now()
  /** The number of products that an interrupted scrape had delivered, if this one resumes it. */
  private resumed: number | null = null
  /** Fields whose place on the site's pages may have changed. */
  private readonly layoutChanges: object[] = []

  constructor(output: Output, limit: number | null) {
    this.output = output
    this.limit = limit
  }

  readonly report = (counts: ProduceCounts, event: SourceEvent | null): void => {
    if (event?.kind === 'resumed') this.resumed = event.done
    if (event?.kind === 'layout') {
      const { kind: _, ...change } = event
      this.layoutChanges.push(change)
    }
    const isRepeated = event?.kind === 'partial' && counts.partial > 1
    const line = event === null || isRepeated ? null : eventText(event)
    if (line !== null) this.output.event({ ...event }, line)
    this.output.live(this.bar(counts))
    if (this.output.mode === 'terminal' || Date.now() - this.printedAt < lineIntervalMs) return
    this.printedAt = Date.now()
    this.output.event({ kind: 'progress', ...counts, seconds: this.seconds() }, this.bar(counts))
  }

  /**
   * The result of the scrape in one line.
   * @param filter the options that filter products, for example "`--country fr`"
   */
  readonly summary = (counts: ProduceCounts, done: string, filter = ''): string => {
    const { delivered, removed, fetched, skipped, skippedBy, partial, filtered } = counts
    const tookMs = Date.now() - this.startedAt
    const missing = fetched - delivered - removed
    const undelivered = missing > 0 ? `, ${missing} fetched but not ${done}` : ''
    const deletes = removed > 0 ? `, ${removed} removed` : ''
    const tooMany = tooManySkipped(counts)
    const skips =
      skipped > 0 ? `, ${skipped} skipped (${reasonsOf(counts)})${tooMany ? ': more than 10 %' : ''}` : ''
    const partials = partial > 0 ? `, ${partial} partial` : ''
    const rate = tookMs > 0 && delivered > 0 ? `, ${perSecond(delivered, tookMs)}` : ''
    const rare = this.layoutChanges.filter(change => 'rate' in change).length
    const changes =
      (rare > 0 ? `, ${plural(rare, 'field')} now rarely present` : '') +
      (rare < this.layoutChanges.length ? ', a nutrition table with unknown labels' : '')
    const others = filtered > 0 ? `, ${filtered} did not match ${filter}` : ''
    const isTruncated = skippedBy.truncated !== undefined
    const cut = isTruncated ? ': the input is truncated, its last part is missing' : ''
    const isWarning = tooMany || isTruncated || (filtered > 0 && delivered + removed === 0)
    const warning = isWarning ? `${chalk.yellow('!')} ` : ''
    return `${warning}${plural(delivered, 'product')} ${done} in ${formatDuration(tookMs)}${rate}${deletes}${partials}${skips}${undelivered}${changes}${others}${cut}`
  }

  get isResumed(): boolean {
    return this.resumed !== null
  }

  readonly seconds = (): number => (Date.now() - this.startedAt) / 1_000

  /** What the result has in addition to the counts. */
  readonly result = (): Readonly<Record<string, unknown>> => ({
    ...(this.resumed === null ? {} : { doneBefore: this.resumed }),
    ...(this.layoutChanges.length === 0 ? {} : { layout: this.layoutChanges }),
  })

  private readonly bar = ({ found, delivered, removed, skipped }: ProduceCounts): string => {
    const elapsedMs = Date.now() - this.startedAt
    // The list is read page by page, so `found` grows up to the limit. A resumed scrape has less to do.
    const total = this.resumed === null ? (this.limit ?? found) : found
    const done = delivered + removed + skipped
    const left =
      done > 0 && total > done ? ` · ${formatDuration((elapsedMs / done) * (total - done))} left` : ''
    const rate = delivered > 0 ? ` · ${perSecond(delivered, elapsedMs)}` : ''
    const deletes = removed > 0 ? ` · ${removed} removed` : ''
    const skips = skipped > 0 ? ` · ${skipped} skipped` : ''
    return `${progressBar(done, total)} ${delivered} of ${total} products${rate}${left}${deletes}${skips}`
  }
}

/** The reasons for skipped inputs, the most frequent first. */
const reasonsOf = ({ skippedBy }: ProduceCounts): string =>
  Object.entries(skippedBy)
    .sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(', ')

/** Skipped inputs that were not products. A dry run skips deletes too, and an index of changes is not an input. */
const notProducts = ({ skipped, skippedBy }: ProduceCounts): number =>
  skipped - (skippedBy.gone ?? 0) - (skippedBy['changes-missing'] ?? 0)

const readInputs = ({ skipped, delivered, removed, filtered }: ProduceCounts): number =>
  skipped + delivered + removed + filtered

/** A warning about the whole file is not an input. */
const tooManySkipped = (counts: ProduceCounts): boolean => {
  const warnings = (counts.skippedBy.truncated ?? 0) + (counts.skippedBy['trailing-bytes'] ?? 0)
  return (notProducts(counts) - warnings) * 10 > readInputs(counts) - warnings
}

/** Whether something was read, and all of it was skipped because it was not a product. */
export const allSkipped = (counts: ProduceCounts): boolean =>
  notProducts(counts) > 0 && notProducts(counts) === readInputs(counts)

/** The line for an event; null for events that the counts show. */
const eventText = (event: SourceEvent): string | null => {
  switch (event.kind) {
    case 'resumed': {
      const since = formatDuration(Date.now() - event.startedAt.getTime())
      return `Resuming the scrape that started ${since} ago: ${event.done} of ${event.listed} products are done; \`--fresh\` starts over`
    }
    case 'paused': {
      const wait = event.requested ? 'The site requests a pause of' : 'Pausing for'
      return `${chalk.yellow('!')} ${wait} ${formatDuration(event.ms)}: ${printable(event.reason)}`
    }
    case 'layout':
      if ('labels' in event)
        return `${chalk.yellow('!')} The layout of the site may have changed: no label of the nutrition table on ${printable(event.address)} is known (${event.labels.map(label => `\`${printable(label)}\``).join(', ')}); its selector is \`${event.selector}\``
      return `${chalk.yellow('!')} The layout of the site may have changed: \`${event.field}\` is on ${percent(event.rate)} of the last pages, typically on ${percent(event.typicalRate)}; its selector is \`${event.selector}\``
    case 'partial':
      return `${chalk.yellow('!')} ${printable(event.address)} lacks ${event.missing.map(part => `\`${part}\``).join(', ')}: its record replaces known values by null; to skip such products, set \`scrape.partial: skip\``
    case 'mapping':
      return mappingText(event)
    case 'skipped':
      return `${chalk.yellow('!')} skipped ${printable(event.address)}: ${printable(event.reason)}`
    case 'found':
    case 'fetched':
    case 'filtered':
      return null
  }
}

/** In YAML, so that it can be copied into `offstream.yaml`. */
const mappingText = ({ address, mapping, paths }: Extract<SourceEvent, { kind: 'mapping' }>): string => {
  const lines = Object.entries(mapping).map(([column, path]) => `    ${column}: ${yamlText(path)}`)
  const heading =
    lines.length === 0
      ? `No value of ${printable(address)} looks like a column of the record.`
      : `A mapping for messages such as ${printable(address)} could be (check each path):\n\ntopic:\n  mapping:\n${lines.join('\n')}\n`
  return `${heading}\nThe message has ${paths.map(path => `\`${printable(path)}\``).join(', ')}`
}

/** A plain scalar of YAML cannot contain `: ` or ` #`. */
const yamlText = (path: string): string =>
  /^\$[\w.[\]]*$/.test(path) ? path : JSON.stringify(printable(path))

const percent = (share: number): string => `${Math.round(share * 100)} %`

const perSecond = (count: number, ms: number): string => {
  const rate = count / (ms / 1_000)
  return rate >= 1 ? `${rate.toFixed(1)} a second` : `${(rate * 60).toFixed(1)} a minute`
}
