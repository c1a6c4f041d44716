import { isUtf8 } from 'node:buffer'
import type { Skip } from '../../product/skip.ts'

/** A longer line is skipped. Real lines are shorter, and the limit protects the memory from hostile input. */
const maxLineBytes = 4 * 1024 * 1024
/** A quote whose field would be longer is not the start of a quoted field. */
const maxQuotedBytes = 256 * 1024

const quote = 0x22
const tab = 0x09
const space = 0x20
const carriageReturn = 0x0d

/** How a file is written. */
export interface CsvDialect {
  readonly delimiter: '\t' | ',' | ';'
  /** Files from old Macs have no line feeds. */
  readonly lineEnd: '\n' | '\r'
}

/** One row: its fields, or why it is skipped. `place` is the number of its first line. */
export type Row = { readonly place: number; readonly fields: Fields } | ({ readonly place: number } & Skip)

/** What a row must have: as many fields as the header, and a barcode in this column. */
interface Header {
  readonly width: number
  readonly codeColumn: number
}

/**
 * Splits a CSV file into rows. In the export of Open Food Facts, quotes are a part of the text, or enclose a field as in
 * RFC 4180; both occur in one file. So a row is read by RFC 4180 if that is consistent: each quote is closed, and no
 * quoted field contains a line that is a row itself. Otherwise its quotes are text and it ends with its line. Therefore a
 * damaged row does not affect other rows.
 */
export class CsvRows {
  /** Null until the header was read. */
  header: Header | null = null
  private readonly delimiter: number
  private readonly lineEnd: number
  /** The fields of the current row. */
  private readonly fields = new Fields()
  private readonly otherFields = new Fields()
  private text: Buffer = Buffer.alloc(0)
  private isLast = false
  private nextQuote = -1
  private line = 1
  private isInLongLine = false

  constructor({ delimiter, lineEnd }: CsvDialect) {
    this.delimiter = delimiter.charCodeAt(0)
    this.lineEnd = lineEnd.charCodeAt(0)
  }

  /**
   * The rows that end in `chunk`. The fields of a row are valid until the next row.
   * @param isLast whether nothing follows
   */
  *take(chunk: Buffer, isLast = false): Generator<Row> {
    this.text = this.text.length === 0 ? chunk : Buffer.concat([this.text, chunk])
    this.isLast = isLast
    this.nextQuote = -1
    let from = 0
    while (from < this.text.length) {
      const end = this.lineEndAfter(from)
      if (end === null) break
      const place = this.line
      const row = this.isInLongLine ? { next: end + 1, lines: 1, skip: tooLong } : this.rowAt(from, end)
      if (row === null) break
      this.line += row.lines
      this.isInLongLine = false
      if (row.skip !== null) yield { place, ...row.skip }
      else if (row.next - from > 1 && !this.isBlank(from, end)) yield { place, fields: this.fields }
      from = row.next
    }
    this.keep(this.text.subarray(from))
  }

  /** A copy, because a view would keep the whole chunk in memory. */
  private readonly keep = (rest: Buffer): void => {
    this.isInLongLine ||= rest.length > maxLineBytes + maxQuotedBytes
    this.text = this.isInLongLine ? Buffer.alloc(0) : Buffer.from(rest)
  }

  /** The position of the end of the line; null if it has not arrived. */
  private readonly lineEndAfter = (from: number): number | null => {
    const end = this.text.indexOf(this.lineEnd, from)
    if (end !== -1) return end
    return this.isLast ? this.text.length : null
  }

  /** The row that starts with the line from `from` to `end`, read into `fields`; null if its end has not arrived. */
  private readonly rowAt = (from: number, end: number): RowEnd | null => {
    const line = { next: end + 1, lines: 1 }
    const quoted = this.hasQuote(from, end) ? this.readQuoted(from, end) : 'broken'
    if (quoted === 'open') return null
    if (quoted !== 'broken' && this.fits(quoted.lines)) return this.checked(from, quoted)
    const count = quoted === 'broken' ? null : this.fields.count
    this.split(this.fields, from, end)
    // Only the export of Open Food Facts has quotes that are text, and it has tabs.
    const mayBeText = quoted === 'broken' || quoted.lines === 1 || this.delimiter === tab
    if (quoted === 'broken' || count === null || (mayBeText && this.fits(1))) return this.checked(from, line)
    return { ...quoted, skip: this.wrongCount(count) }
  }

  /** Whether the current row has the fields of the header. The header itself is one line. */
  private readonly fits = (lines: number): boolean =>
    this.header === null ? lines === 1 : this.fields.count === this.header.width

  private readonly checked = (from: number, row: Omit<RowEnd, 'skip'>): RowEnd => {
    const { count } = this.fields
    if (!isUtf8(this.text.subarray(from, row.next))) return { ...row, skip: notUtf8 }
    return { ...row, skip: this.fits(1) || this.isBlank(from, row.next) ? null : this.wrongCount(count) }
  }

  private readonly wrongCount = (count: number): Skip => ({
    skippedBy: 'invalid-row',
    reason: `it has ${count} ${count === 1 ? 'field' : 'fields'}, but the header has ${this.header?.width}`,
  })

  private readonly hasQuote = (from: number, end: number): boolean => {
    if (this.nextQuote < from) {
      const found = this.text.indexOf(quote, from)
      this.nextQuote = found === -1 ? this.text.length : found
    }
    return this.nextQuote < end
  }

  private readonly isBlank = (from: number, end: number): boolean => {
    for (let at = from; at < end; at += 1) {
      const byte = this.text[at]
      if (byte !== space && byte !== carriageReturn && byte !== this.lineEnd) return false
    }
    return true
  }

  /** Splits a line at its delimiters. */
  private readonly split = (fields: Fields, from: number, end: number): void => {
    const { text, delimiter } = this
    fields.clear(text)
    let start = from
    for (let at = from; at < end; at += 1)
      if (text[at] === delimiter) {
        fields.add(start, at)
        start = at + 1
      }
    fields.add(start, this.withoutReturn(start, end))
  }

  /** Reads a row by RFC 4180 into `fields`. */
  private readonly readQuoted = (
    from: number,
    firstEnd: number,
  ): Omit<RowEnd, 'skip'> | 'broken' | 'open' => {
    const { text, delimiter, fields } = this
    fields.clear(text)
    let lines = 1
    for (let at = from; ; ) {
      const start = this.afterBlanks(at)
      let end = start
      if (text[start] === quote) {
        const close = this.closingQuote(start, from, firstEnd)
        if (typeof close === 'string') return close
        lines += close.lines
        end = this.afterBlanks(close.at + 1)
        if (text[end] === carriageReturn && this.isEnd(end + 1)) end += 1
        if (text[end] !== delimiter && !this.isEnd(end)) return 'broken'
        fields.add(start, close.at + 1)
      } else {
        while (text[end] !== delimiter && !this.isEnd(end)) end += 1
        fields.add(at, this.withoutReturn(at, end))
      }
      if (text[end] !== delimiter) return end < text.length || this.isLast ? { next: end + 1, lines } : 'open'
      at = end + 1
    }
  }

  /** The quote that closes the field, and how many line ends are before it. */
  private readonly closingQuote = (
    start: number,
    from: number,
    firstEnd: number,
  ): { readonly at: number; readonly lines: number } | 'broken' | 'open' => {
    const { text } = this
    let lines = 0
    for (let at = start + 1; at < text.length; at += 1) {
      if (text[at] === quote) {
        if (text[at + 1] !== quote) return at + 1 < text.length || this.isLast ? { at, lines } : 'open'
        at += 1
      } else if (text[at] === this.lineEnd) {
        if (at - start > maxQuotedBytes) return 'broken'
        const end = this.lineEndAfter(at + 1)
        if (end === null) return 'open'
        // Of a row whose code is after the quoted field, the last line can look like a row.
        const endsHere = this.fields.count < (this.header?.codeColumn ?? 0) && !this.isRow(from, firstEnd)
        if (this.isRow(at + 1, end) && !endsHere) return 'broken'
        lines += 1
      }
    }
    return this.isLast ? 'broken' : 'open'
  }

  /** Whether a line is a row itself: it has the fields of the header, and a barcode where the codes are. */
  private readonly isRow = (from: number, end: number): boolean => {
    if (this.header === null) return true
    this.split(this.otherFields, from, end)
    const { count } = this.otherFields
    return count === this.header.width && barcode.test(this.otherFields.text(this.header.codeColumn))
  }

  private readonly afterBlanks = (from: number): number => {
    let at = from
    while (this.text[at] === space) at += 1
    return at
  }

  private readonly isEnd = (at: number): boolean => at >= this.text.length || this.text[at] === this.lineEnd

  private readonly withoutReturn = (start: number, end: number): number =>
    end > start && this.isEnd(end) && this.text[end - 1] === carriageReturn ? end - 1 : end
}

const barcode = /^\s*\d{6,24}\s*$/

interface RowEnd {
  /** The start of the next row. */
  readonly next: number
  readonly lines: number
  readonly skip: Skip | null
}

const tooLong: Skip = { skippedBy: 'too-long', reason: 'the line is too long' }
const notUtf8: Skip = { skippedBy: 'invalid-utf8', reason: 'it is not valid UTF-8' }

/** The fields of a row, as positions in the text: most of the 210 columns are never read. */
export class Fields {
  count = 0
  private bytes: Buffer = Buffer.alloc(0)
  private readonly starts: number[] = []
  private readonly ends: number[] = []

  readonly clear = (bytes: Buffer): void => {
    this.bytes = bytes
    this.count = 0
  }

  readonly add = (start: number, end: number): void => {
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.count += 1
  }

  /** The text of a field, without the quotes around it. */
  readonly text = (index: number): string => {
    const [start, end] = [this.starts[index] ?? 0, this.ends[index] ?? 0]
    if (start === end) return ''
    const text = this.bytes.toString('utf8', start, end)
    return text.includes('"') ? unquoted(text) : text
  }
}

/** Quotes around a text are removed only if the quotes inside are doubled. */
const unquoted = (written: string): string => {
  const inner = /^ *"((?:[^"]|"")*)" *$/.exec(written)?.[1]
  return inner === undefined ? written : inner.replaceAll('""', '"')
}
