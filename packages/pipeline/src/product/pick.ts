/**
 * The wanted members of an object: `true` for a whole value, an object for some of its members. A name that ends with
 * `*` matches all names with that prefix.
 */
export interface Wanted {
  readonly [name: string]: true | Wanted
}

/**
 * Extracts the wanted members from a line of JSON without parsing the others. A product of the full export has about 170
 * members in 20 KB, of which the record needs 30: skipping the others takes a fifth of the time of parsing them.
 *
 * The wanted members are what `JSON.parse` gives; a short line keeps its other members too. In skipped members only
 * brackets and quotes are checked.
 */
export class Picker {
  /** Whether the last object may have a member that only envelopes have. Then it is perhaps not a product itself. */
  mayBeEnvelope = true
  /** Whether a barcode in the last object may be written as a number, which `parseJson` treats in a special way. */
  mayHaveNumericCode = true
  private readonly wanted: Names
  /** A JSON object of the wanted members. */
  private picked = Buffer.allocUnsafe(64 * 1024)
  private length = 0

  /** @param envelope the names of members that only envelopes have */
  constructor(wanted: Wanted, envelope: ReadonlySet<string> = new Set()) {
    this.wanted = namesOf(wanted, envelope)
  }

  /**
   * A JSON object of the wanted members; the bytes are valid until the next call.
   * @throws SyntaxError if the line is not a complete JSON object
   */
  readonly pick = (line: Buffer): Buffer => {
    const start = skipBlanks(line, 0)
    if (line[start] !== brace) throw new SyntaxError('it is not a JSON object')
    this.mayBeEnvelope = line.length < shortLine
    this.mayHaveNumericCode = this.mayBeEnvelope
    if (this.mayBeEnvelope) return line
    const end = find(line, start + 1, this.wanted)
    if (skipBlanks(line, end) < line.length) throw new SyntaxError('there is more text after the object')
    // Twice the length, because commas, colons and brackets are added to the copy.
    if (this.picked.length < line.length * 2) this.picked = Buffer.allocUnsafe(line.length * 2)
    this.length = 0
    this.write(line, this.wanted)
    return this.picked.subarray(0, this.length)
  }

  /**
   * Writes the members that were found, always in the same order. If objects differ in the order of their members, as in
   * the export, `JSON.parse` and code that reads them take twice the time.
   */
  private readonly write = (line: Buffer, { names, others }: Names): void => {
    const before = this.length
    for (const name of names) {
      if (name.end === 0) continue
      this.copy(name.label, 0, name.label.length)
      if (name.kind !== 'other') this.note(name.kind, line[name.start] ?? 0)
      this.writeValue(line, name.start, name.end, name.inner)
    }
    for (const { nameAt, start, end, inner } of others) {
      this.put(comma)
      this.copy(line, nameAt, start)
      this.writeValue(line, start, end, inner)
    }
    // Replaces the first comma.
    if (this.length === before) this.put(brace)
    else this.picked[before] = brace
    this.put(closingBrace)
  }

  private readonly note = (kind: 'code' | 'envelope', first: number): void => {
    if (kind === 'envelope') this.mayBeEnvelope = true
    // An envelope is copied whole, with all barcodes in it.
    if (kind === 'envelope' || first === minus || (first >= zero && first <= nine))
      this.mayHaveNumericCode = true
  }

  private readonly writeValue = (line: Buffer, start: number, end: number, inner: Names | 'whole'): void => {
    if (inner === 'whole' || line[start] !== brace) this.copy(line, start, end)
    else {
      find(line, start + 1, inner)
      this.write(line, inner)
    }
  }

  private readonly put = (byte: number): void => {
    this.picked[this.length] = byte
    this.length += 1
  }

  private readonly copy = (bytes: Buffer, from: number, to: number): void => {
    // A native call takes as long as copying a few dozen bytes.
    if (to - from > 48) this.length += bytes.copy(this.picked, this.length, from, to)
    else for (let at = from; at < to; at += 1) this.picked[this.length++] = bytes[at] ?? 0
  }
}

/**
 * Finds the wanted members of the object whose bracket is before `from`, and stores their positions in `wanted`. If a
 * name occurs twice, the later one counts.
 * @returns the position after the object
 */
const find = (line: Buffer, from: number, wanted: Names): number => {
  for (const name of wanted.names) name.end = 0
  wanted.others.length = 0
  let at = skipBlanks(line, from)
  if (line[at] === closingBrace) return at + 1
  for (;;) {
    if (line[at] !== quote) throw new SyntaxError(`a name is missing at byte ${at}`)
    const nameAt = at
    const nameEnd = skipName(line, at + 1)
    const afterName = nameEnd < 0 ? -nameEnd : nameEnd
    at = skipBlanks(line, afterName)
    if (line[at] !== colon) throw new SyntaxError(`a colon is missing at byte ${at}`)
    const start = skipBlanks(line, at + 1)
    at = skipValue(line, start)
    if (nameEnd < 0) noteEscaped(line, wanted, nameAt, afterName, start, at)
    else if (wanted.possible[roughKeyOf(line, nameAt + 1, afterName - 1)] !== 0)
      note(line, nameAt + 1, afterName - 1, wanted, nameAt, start, at)
    at = skipBlanks(line, at)
    if (line[at] === closingBrace) return at + 1
    if (line[at] !== comma) throw new SyntaxError(`a comma is missing at byte ${at}`)
    at = skipBlanks(line, at + 1)
  }
}

/** Almost all members of a shorter line are wanted, so it is faster to keep it whole. */
const shortLine = 1024

const quote = 0x22
const backslash = 0x5c
const brace = 0x7b
const closingBrace = 0x7d
const bracket = 0x5b
const closingBracket = 0x5d
const colon = 0x3a
const comma = 0x2c
const [minus, zero, nine] = [0x2d, 0x30, 0x39]

/** The wanted names of one object, and the positions of its members in the current line. */
interface Names {
  readonly names: readonly Name[]
  /** The names by `keyOf`: creating a string for each name would take longer than everything else. */
  readonly byKey: ReadonlyMap<number, readonly Name[]>
  /** Whether a name with this length and first byte may be wanted; most names need no further search. */
  readonly possible: Uint8Array
  readonly prefixes: readonly { readonly bytes: Uint8Array; readonly inner: Names | 'whole' }[]
  /** Members whose names have a wanted prefix. */
  readonly others: {
    readonly nameAt: number
    readonly start: number
    readonly end: number
    readonly inner: Names | 'whole'
  }[]
}

interface Name {
  readonly bytes: Uint8Array
  /** The text before the value: `,"code":`. */
  readonly label: Buffer
  readonly inner: Names | 'whole'
  readonly kind: 'code' | 'envelope' | 'other'
  /** The position of the value; `end` is 0 if the line does not have it. */
  start: number
  end: number
}

const namesOf = (wanted: Wanted, envelope: ReadonlySet<string>): Names => {
  const innerOf = (inner: true | Wanted) => (inner === true ? ('whole' as const) : namesOf(inner, envelope))
  const all = Object.entries(wanted)
  const names = all
    .filter(([name]) => !name.endsWith('*'))
    .map(([name, inner]) => ({
      bytes: Buffer.from(name),
      label: Buffer.from(`,${JSON.stringify(name)}:`),
      inner: innerOf(inner),
      kind: kindOf(name, envelope),
      start: 0,
      end: 0,
    }))
  const byKey = new Map<number, Name[]>()
  for (const name of names) {
    const key = keyOf(name.bytes, 0, name.bytes.length)
    byKey.set(key, [...(byKey.get(key) ?? []), name])
  }
  const prefixes = all
    .filter(([name]) => name.endsWith('*'))
    .map(([name, inner]) => ({ bytes: Buffer.from(name.slice(0, -1)), inner: innerOf(inner) }))
  return { names, byKey, possible: possibleAmong(names, prefixes), prefixes, others: [] }
}

const kindOf = (name: string, envelope: ReadonlySet<string>): Name['kind'] => {
  if (envelope.has(name)) return 'envelope'
  return name === 'code' || name === '_id' ? 'code' : 'other'
}

type Bytes = Pick<Name, 'bytes'>

const possibleAmong = (names: readonly Bytes[], prefixes: readonly Bytes[]): Uint8Array => {
  const possible = new Uint8Array(64 * 256)
  for (const { bytes } of names) possible[roughKeyOf(bytes, 0, bytes.length)] = 1
  for (const { bytes } of prefixes) {
    if (bytes.length === 0) return possible.fill(1)
    for (let length = 0; length < 64; length += 1) possible[roughKeyOf(bytes, 0, length)] = 1
  }
  return possible
}

/**
 * Stores the position of a member if its name, which is in `text`, is wanted. It has many number parameters, because an
 * object for each of 170 members would be half of the garbage.
 */
const note = (
  text: Uint8Array,
  from: number,
  to: number,
  wanted: Names,
  nameAt: number,
  start: number,
  end: number,
): void => {
  for (const name of wanted.byKey.get(keyOf(text, from, to)) ?? none) {
    if (name.bytes.length !== to - from || !beginsWith(text, from, name.bytes)) continue
    name.start = start
    name.end = end
    return
  }
  for (const { bytes, inner } of wanted.prefixes)
    if (bytes.length <= to - from && beginsWith(text, from, bytes))
      wanted.others.push({ nameAt, start, end, inner })
}

/** The same for a name with escapes, such as `product\u005fname`, which JSON allows. */
const noteEscaped = (
  line: Buffer,
  wanted: Names,
  nameAt: number,
  afterName: number,
  start: number,
  end: number,
): void => {
  const name = Buffer.from(String(JSON.parse(line.toString('utf8', nameAt, afterName))))
  note(name, 0, name.length, wanted, nameAt, start, end)
}

const none: readonly Name[] = []

/** A hash of a name: its length, first and last byte. */
const keyOf = (bytes: Uint8Array, from: number, to: number): number =>
  ((to - from) << 16) | ((bytes[from] ?? 0) << 8) | (bytes[to - 1] ?? 0)

/** A rougher hash: the length modulo 64 and the first byte. */
const roughKeyOf = (bytes: Uint8Array, from: number, to: number): number =>
  (((to - from) & 63) << 8) | (bytes[from] ?? 0)

const beginsWith = (line: Uint8Array, from: number, bytes: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at += 1) if (line[from + at] !== bytes[at]) return false
  return true
}

// Most tokens have no blanks between them: one comparison and no loop.
const skipBlanks = (line: Uint8Array, from: number): number =>
  (line[from] ?? 0) > 0x20 ? from : skipSomeBlanks(line, from)

const skipSomeBlanks = (line: Uint8Array, from: number): number => {
  let at = from
  for (;;) {
    const byte = line[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at += 1
  }
}

/** The position after the closing quote of the string whose opening quote is before `from`. */
const skipString = (line: Uint8Array, from: number): number => {
  const { length } = line
  for (let at = from; at < length; at += 1) {
    const byte = line[at]
    if (byte === quote) return at + 1
    if (byte === backslash) at += 1
  }
  throw new SyntaxError('it ends inside a string')
}

/** The same for a name; negative if it has escapes. */
const skipName = (line: Uint8Array, from: number): number => {
  const { length } = line
  for (let at = from; at < length; at += 1) {
    const byte = line[at]
    if (byte === quote) return at + 1
    if (byte === backslash) return -skipString(line, at)
  }
  throw new SyntaxError('it ends inside a string')
}

const skipValue = (line: Uint8Array, from: number): number => {
  const byte = line[from]
  if (byte === quote) return skipString(line, from + 1)
  if (byte === brace || byte === bracket) return skipContainer(line, from + 1)
  return skipScalar(line, from)
}

/**
 * The position after the object or array whose bracket is before `from`. Most bytes of a line are read here. Therefore
 * strings are skipped in place, two bytes at a time, and one bit mask recognises brackets: `{` and `[` differ in one bit, as
 * do `}` and `]`.
 */
const skipContainer = (line: Uint8Array, from: number): number => {
  const { length } = line
  let depth = 1
  let at = from
  while (at < length) {
    const byte = line[at++] ?? 0
    if (byte === quote) {
      for (;;) {
        const inside = line[at++]
        if (inside === quote) break
        if (inside === backslash) {
          at += 1
          continue
        }
        const next = line[at++]
        if (next === quote) break
        if (next === backslash) at += 1
        else if (next === undefined) throw new SyntaxError('it ends inside a string')
      }
    } else if (byte >= bracket) {
      const kind = byte & 0x5f
      if (kind === bracket) depth += 1
      else if (kind === closingBracket) {
        depth -= 1
        if (depth === 0) return at
      }
    }
  }
  throw new SyntaxError('it ends inside an object or array')
}

/** Numbers, `true`, `false`, `null`: everything up to the next comma or bracket. */
const skipScalar = (line: Uint8Array, from: number): number => {
  const { length } = line
  let at = from
  while (at < length) {
    const byte = line[at]
    if (byte === comma || byte === closingBrace || byte === closingBracket || byte === 0x20) break
    at += 1
  }
  if (at === from) throw new SyntaxError(`a value is missing at byte ${at}`)
  return at
}
