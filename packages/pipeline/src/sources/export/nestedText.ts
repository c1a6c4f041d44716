/**
 * Lists and objects that programs write as text, because CSV has neither: JSON, Python and NumPy
 * (`[{'lang': 'main', 'text': "Pain"}]`), and DuckDB, which omits most quotes (`[{'lang': main, 'text': Pain}]`).
 */

const lists: ReadonlySet<string> = new Set([
  'product_name',
  'generic_name',
  'ingredients_text',
  'nutriments',
  'images',
])

/** Whether the text of a column is a list of objects or, in a column of tags, a list. A name may start with `[` too. */
export const isNested = (column: string, text: string): boolean => {
  if (text[0] === '[') return lists.has(column) ? /^\[\s*[{\]]/.test(text) : column.endsWith('_tags')
  if (text[0] !== '{') return false
  if (column === 'nutriments' || column === 'images' || column === 'nutrition') return true
  // A map of languages. A name may start with `{` too.
  return lists.has(column) && /^\{\s*(?:\}|['"]?(?:main|[a-z]{2})['"]?\s*[:=])/.test(text)
}

/** The value in a text; undefined if the text is ambiguous. */
export const nestedValue = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    const reader = new NestedText(text)
    const value = reader.value()
    return reader.isAtEnd() ? value : undefined
  }
}

/** The start of the next member, where an unquoted text ends. */
const nextMember = /\s*,\s*'[\w-]+'\s*:|\s*\}/y
const nextItem = /\s*,|\s*\]/y
const singleQuoted = /'((?:[^'\\]|\\.|'')*)'/sy
const doubleQuoted = /"((?:[^"\\]|\\.)*)"/sy

/** A reader that returns undefined, and never reaches the end, if the text has an unexpected character. */
class NestedText {
  private at = 0
  private readonly text: string

  constructor(text: string) {
    this.text = text.trim()
  }

  readonly isAtEnd = (): boolean => this.at === this.text.length

  readonly value = (end: RegExp = nextItem): unknown => {
    this.skip(/\s*(?:array\()?\s*/y)
    const next = this.text[this.at]
    if (next === '[') return this.list()
    if (next === '{') return this.object()
    const quoted = this.quoted()
    return quoted ?? this.unquoted(end)
  }

  private readonly list = (): unknown[] | undefined => {
    const items: unknown[] = []
    this.at += 1
    this.skip(/\s*/y)
    while (this.text[this.at] !== ']') {
      const before = this.at
      items.push(this.value())
      // NumPy separates items with spaces.
      const isSeparated = this.skip(/\s*,\s*|\s*(?=[\][{'"])/y)
      if (this.at === before || !isSeparated) return undefined
    }
    this.at += 1
    this.skip(/(?:\s*,\s*dtype=\w+)?\)/y)
    return items
  }

  private readonly object = (): Record<string, unknown> | undefined => {
    const members: Record<string, unknown> = {}
    this.at += 1
    for (this.skip(/\s*/y); this.text[this.at] !== '}'; this.skip(/\s*,?\s*/y)) {
      const name = this.quoted()
      if (name === undefined || !this.skip(/\s*:\s*/y)) return undefined
      members[name] = this.value(nextMember)
    }
    this.at += 1
    return members
  }

  /** The text until the end of its item. */
  private readonly unquoted = (end: RegExp): unknown => {
    for (let at = this.at; at < this.text.length; at += 1) {
      end.lastIndex = at
      if (!end.test(this.text)) continue
      const found = this.text.slice(this.at, at)
      this.at = at
      return unknown.has(found) ? null : found
    }
    return undefined
  }

  private readonly quoted = (): string | undefined => {
    const single = this.take(singleQuoted)?.replaceAll("''", "'")
    return (single ?? this.take(doubleQuoted))?.replace(/\\(.)/gs, (_, sign: string) =>
      sign === 'n' ? '\n' : sign,
    )
  }

  private readonly take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found !== null) this.at += found[0].length
    return found?.[1]
  }

  private readonly skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found !== null) this.at += found[0].length
    return found !== null
  }
}

const unknown: ReadonlySet<string> = new Set(['NULL', 'None', 'nan', 'null', 'NaN', ''])
