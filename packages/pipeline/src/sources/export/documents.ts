import type { Skip } from '../../product/skip.ts'

/** Real products are shorter. The limit protects the memory from hostile input. */
const maxBytes = 16 * 1024 * 1024
/** Real products have four levels. The limit bounds how often bytes are read again after an error. */
const maxDepth = 64

const [lineFeed, space, quote, comma, colon, backslash] = [0x0a, 0x20, 0x22, 0x2c, 0x3a, 0x5c]
const [brace, closingBrace, bracket, closingBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

/** One JSON object of a file, or bytes that are not one. `place` is the number of its first line. */
export type JsonDocument =
  | { readonly place: number; readonly bytes: Buffer }
  | ({ readonly place: number } & Skip)

/**
 * Splits a file into its JSON objects, which may have several lines or share one: pretty-printed documents, the items of an
 * array, the `products` of a response, in any mixture. Only one object is in memory at a time.
 *
 * A damaged object does not affect the others: if an error shows that its end is missing, reading continues at the line that
 * looks like the start of the next object.
 */
export class DocumentCutter {
  private text: Buffer = Buffer.alloc(0)
  private at = 0
  private line = 1
  /** The position of the start of the line, which may be before the text. */
  private lineStart = 0
  /** How many blanks the line starts with; null before its first other byte. */
  private lineIndent: number | null = null
  /** The object that has started; null between objects. */
  private open: OpenObject | null = null
  /** Bytes between objects that do not belong there are reported once. */
  private isReported = false
  /** The last byte between objects that is not whitespace. */
  private last = 0
  /** Whether a colon is before the next object: it is the value of a member of an object that has lost its start. */
  private isValue = false
  private isArray = false
  /** Whether the last objects are the products of a response, which has other members after them. */
  private isInResponse = false;

  /**
   * The objects that end in `chunk`.
   * @param isLast whether nothing follows
   */
  *take(chunk: Buffer, isLast = false): Generator<JsonDocument> {
    this.text = this.text.length === 0 ? chunk : Buffer.concat([this.text, chunk])
    for (;;) {
      const found = this.open === null ? this.start() : this.finish(this.open, isLast)
      if (found === 'more') break
      if (found !== null) yield found
    }
    const keepFrom = this.open?.start ?? this.at
    this.text = Buffer.from(this.text.subarray(keepFrom))
    this.at -= keepFrom
    this.lineStart -= keepFrom
    if (this.open !== null) this.open.move(-keepFrom)
    if (isLast && ((this.isArray && this.last !== closingBracket) || this.isInResponse))
      yield { place: this.line, ...invalid('its array is not closed, so it may be truncated') }
  }

  /** Steps to the next object. Commas and brackets between objects are ignored. */
  private readonly start = (): JsonDocument | 'more' | null => {
    const { text } = this
    for (; this.at < text.length; this.at += 1) {
      const byte = text[this.at] ?? 0
      if (byte > space) {
        this.lineIndent ??= this.at - this.lineStart
        if (byte !== brace) this.isValue = byte === colon
      }
      if (byte === lineFeed) this.startLine(this.at)
      else if (byte === brace) {
        // They differ if a bracket of an array is before the object, or its name.
        const [indent, column] = [this.lineIndent ?? 0, this.at - this.lineStart]
        this.open = new OpenObject(this.at, this.isValue ? indent : column)
        this.isReported = false
        this.last = closingBrace
        return null
      } else if (byte === bracket || byte === closingBracket || byte === comma) {
        if (this.last === 0 && byte === bracket) this.isArray = true
        this.last = byte
      } else if (byte > space && byte !== 0xef && byte !== 0xbb && byte !== 0xbf) {
        if (this.isInResponse && byte === closingBrace) this.isInResponse = false
        else if (!this.isInResponse && !this.isReported) return this.report(byte)
      }
    }
    return 'more'
  }

  private readonly report = (byte: number): JsonDocument => {
    this.isReported = true
    this.last ||= byte
    return { place: this.line, ...invalid('it is not a JSON object') }
  }

  private readonly finish = (open: OpenObject, isLast: boolean): JsonDocument | 'more' | null => {
    const { text } = this
    const end = open.read(text)
    if (end === 'products') {
      this.skipTo(open.at)
      this.isInResponse = true
      this.last = bracket
      return null
    }
    const place = this.line
    if (typeof end === 'number') {
      this.skipTo(end)
      return { place, bytes: text.subarray(open.start, end) }
    }
    const isTooLong = text.length - open.start > maxBytes
    if (end === 'open' && !isLast && !isTooLong) return 'more'
    this.skipTo(open.next ?? open.at)
    this.isReported = true
    if (end === 'open' && isLast) this.isArray = this.isInResponse = false
    if (end === 'open' && isTooLong)
      return { place, skippedBy: 'too-long', reason: 'the JSON object is too long' }
    return { place, ...invalid(end === 'open' ? 'it ends inside an object' : end.error) }
  }

  private readonly skipTo = (at: number): void => {
    const { text } = this
    const from = this.open?.start ?? this.at
    for (
      let end = text.indexOf(lineFeed, from);
      end !== -1 && end < at;
      end = text.indexOf(lineFeed, end + 1)
    )
      this.startLine(end)
    const sign = afterBlanks(text, Math.max(this.lineStart, 0))
    if (sign < at) this.lineIndent ??= sign - this.lineStart
    this.at = at
    this.open = null
    this.isValue = false
  }

  private readonly startLine = (end: number): void => {
    this.line += 1
    this.lineStart = end + 1
    this.lineIndent = null
  }
}

const invalid = (reason: string): Skip => ({
  skippedBy: 'invalid-json',
  reason: `it is not valid JSON: ${reason}`,
})

const afterBlanks = (text: Buffer, from: number): number => {
  let at = from
  while (text[at] === space || text[at] === 0x09) at += 1
  return at
}

/** What can follow a string. */
const afterString: ReadonlySet<number> = new Set([colon, comma, closingBrace, closingBracket])

const productsName = Buffer.from('products"')

/** The position of the end of an object, or what was found instead. */
type End = number | 'products' | 'open' | { readonly error: string }

/** An object whose end is searched for. Only what shows that the end is missing is checked: brackets, names and line ends. */
class OpenObject {
  start: number
  /** The position up to which it was read. */
  at: number
  /** The first line after its start that looks like the start of another object. */
  next: number | null = null
  private readonly maxIndent: number
  /** The indentation of the first name; null before it. */
  private memberIndent: number | null = null
  /** The brackets that are open. */
  private readonly brackets: number[] = []
  /** The last byte that is not whitespace, with `quote` for a whole string. */
  private before = 0
  private isInString = false
  private isInProducts = false

  /** @param maxIndent how many blanks are at most before the next object, if that starts a line */
  constructor(start: number, maxIndent: number) {
    this.start = start
    this.at = start
    this.maxIndent = maxIndent
  }

  /** Adapts the positions to a text of which the start was cut off. */
  readonly move = (by: number): void => {
    this.start += by
    this.at += by
    if (this.next !== null) this.next += by
  }

  /**
   * Reads on.
   * @returns the position after the object; `products` after the bracket of the products of a response; `open` if its end has
   * not arrived
   */
  readonly read = (text: Buffer): End => {
    while (this.at < text.length) {
      const byte = text[this.at] ?? 0
      if (this.isInString) {
        if (byte === lineFeed) return { error: 'a string ends with its line' }
        // The byte after a backslash may be in the next chunk.
        if (byte === backslash && this.at + 1 >= text.length) return 'open'
        if (byte === backslash && text[this.at + 1] !== lineFeed) this.at += 1
        else if (byte === quote) this.isInString = false
      } else if (byte > space) {
        const end = this.sign(text, byte)
        if (end !== null) return end
        this.before = byte
      }
      this.at += 1
    }
    return 'open'
  }

  private readonly sign = (text: Buffer, byte: number): End | null => {
    const inside = this.brackets.at(-1)
    const expectsName = inside === brace && (this.before === brace || this.before === comma)
    if (expectsName && byte !== quote && byte !== closingBrace) return { error: 'a name is missing' }
    if (this.before === quote && !afterString.has(byte)) return { error: 'a comma is missing' }
    if (byte === quote) {
      if (this.brackets.length === 1 && expectsName) {
        this.memberIndent ??= this.indent(text) ?? 0
        const name = text.subarray(this.at + 1, this.at + 1 + productsName.length)
        if (name.length < productsName.length) return 'open'
        this.isInProducts = name.equals(productsName)
      }
      this.isInString = true
    } else if (byte === brace || byte === bracket) return this.opened(text, byte)
    else if (byte === closingBrace || byte === closingBracket) {
      // `{` and `[` differ from their closing brackets by two.
      if (inside !== byte - 2) return { error: 'a bracket is missing' }
      this.brackets.pop()
      if (this.brackets.length === 0) return this.at + 1
    }
    return null
  }

  /** How many blanks are before this byte in its line; null if something else is. */
  private readonly indent = (text: Buffer): number | null => {
    const start = text.lastIndexOf(lineFeed, this.at) + 1
    return start > this.start && afterBlanks(text, start) === this.at ? this.at - start : null
  }

  /** Whether this bracket starts a line like the next object of the file. The items of a member have a larger indentation. */
  private readonly isNext = (text: Buffer): boolean => {
    const indent = this.indent(text)
    return indent !== null && (indent <= this.maxIndent || indent < (this.memberIndent ?? 0))
  }

  private readonly opened = (text: Buffer, byte: number): 'products' | { readonly error: string } | null => {
    const isFirst = this.brackets.length === 0
    if (!isFirst && byte === brace && this.next === null && this.isNext(text)) this.next = this.at
    if (!isFirst && this.before !== colon && this.before !== comma && this.before !== bracket)
      return { error: 'a comma is missing' }
    if (this.brackets.length === maxDepth) return { error: 'it has too many levels' }
    if (this.brackets.length === 1 && byte === bracket && this.before === colon && this.isInProducts) {
      this.at += 1
      return 'products'
    }
    this.brackets.push(byte)
    return null
  }
}
