import { type JsonObject, objectOf } from '../record/json.ts'

/**
 * Which members of an object are wanted: `true` for a whole value, an object for some members of it. A name that ends
 * with `*` stands for every name that begins so.
 */
export interface Wanted {
  readonly [name: string]: true | Wanted
}

/**
 * Reads the wanted members out of a line of JSON and leaves the rest unread. A product of the full export has some 170
 * members in 20 KB, of which the record needs 30: stepping over the others costs a fifth of parsing them.
 *
 * The result has what `JSON.parse` gives for each wanted member; a short line gives the others too. What is stepped
 * over is not checked beyond its brackets and quotes.
 */
export class Picker {
  private readonly wanted: Names
  /** The wanted members, one after the other, as one text for `JSON.parse`. */
  private picked = Buffer.allocUnsafe(64 * 1024)
  private length = 0

  constructor(wanted: Wanted) {
    this.wanted = namesOf(wanted)
  }

  /** @throws SyntaxError where the line is no object of JSON, or ends in the middle of one */
  readonly pick = (line: Buffer): JsonObject => {
    if (line.length < shortLine) return object(JSON.parse(line.toString('utf8')))
    // Twice: what is copied is never longer than the line, but for a comma and a bracket of ours.
    if (this.picked.length < line.length * 2) this.picked = Buffer.allocUnsafe(line.length * 2)
    this.length = 0
    const start = skipBlanks(line, 0)
    if (line[start] !== brace) throw new SyntaxError('it is no JSON object')
    const end = this.members(line, start + 1, this.wanted)
    if (skipBlanks(line, end) < line.length) throw new SyntaxError('something follows the object')
    return object(JSON.parse(this.picked.toString('utf8', 0, this.length)))
  }

  /** Copies the wanted members of the object that begins before `at`; returns the place after its end. */
  private readonly members = (line: Uint8Array, from: number, wanted: Names): number => {
    this.put(brace)
    let isFirst = true
    let at = skipBlanks(line, from)
    if (line[at] === closingBrace) {
      this.put(closingBrace)
      return at + 1
    }
    for (;;) {
      if (line[at] !== quote) throw new SyntaxError(`there is no name at byte ${at}`)
      const keyAt = at
      const afterKey = skipString(line, keyAt + 1)
      const inner = lookUp(wanted, line, keyAt + 1, afterKey - 1)
      at = skipBlanks(line, afterKey)
      if (line[at] !== colon) throw new SyntaxError(`there is no colon at byte ${at}`)
      at = skipBlanks(line, at + 1)
      if (inner === null) at = skipValue(line, at)
      else {
        if (!isFirst) this.put(comma)
        isFirst = false
        if (inner === 'whole' || line[at] !== brace) {
          const valueAt = at
          at = skipValue(line, at)
          this.copy(line, keyAt, afterKey)
          this.put(colon)
          this.copy(line, valueAt, at)
        } else {
          this.copy(line, keyAt, afterKey)
          this.put(colon)
          at = this.members(line, at + 1, inner)
        }
      }
      at = skipBlanks(line, at)
      if (line[at] === closingBrace) break
      if (line[at] !== comma) throw new SyntaxError(`there is no comma at byte ${at}`)
      at = skipBlanks(line, at + 1)
    }
    this.put(closingBrace)
    return at + 1
  }

  private readonly put = (byte: number): void => {
    this.picked[this.length] = byte
    this.length += 1
  }

  private readonly copy = (line: Uint8Array, from: number, to: number): void => {
    for (let at = from; at < to; at += 1) this.picked[this.length++] = line[at] ?? 0
  }
}

/** Of so short a line almost all is wanted: parsing it whole is quicker. */
const shortLine = 6 * 1024

const object = (value: unknown): JsonObject => {
  const found = objectOf(value)
  if (found === null) throw new SyntaxError('it is no JSON object')
  return found
}

const quote = 0x22
const backslash = 0x5c
const brace = 0x7b
const closingBrace = 0x7d
const bracket = 0x5b
const closingBracket = 0x5d
const colon = 0x3a
const comma = 0x2c

/** The wanted names of one object, found by a number made of their bytes: a text for each name would cost more. */
interface Names {
  readonly byHash: ReadonlyMap<number, Name>
  readonly prefixes: readonly Name[]
}

interface Name {
  readonly bytes: Uint8Array
  readonly inner: Names | 'whole'
}

const namesOf = (wanted: Wanted): Names => {
  const names = Object.entries(wanted).map(([name, inner]) => ({
    isPrefix: name.endsWith('*'),
    bytes: new TextEncoder().encode(name.replace(/\*$/, '')),
    inner: inner === true ? ('whole' as const) : namesOf(inner),
  }))
  const exact = names.filter(({ isPrefix }) => !isPrefix)
  const byHash = new Map(exact.map(name => [hash(name.bytes, 0, name.bytes.length), name]))
  if (byHash.size < exact.length) throw new Error('two wanted names have one hash')
  return { byHash, prefixes: names.filter(({ isPrefix }) => isPrefix) }
}

const lookUp = (names: Names, line: Uint8Array, from: number, to: number): Names | 'whole' | null => {
  const name = names.byHash.get(hash(line, from, to))
  if (name !== undefined && name.bytes.length === to - from && beginsWith(line, from, name.bytes))
    return name.inner
  const prefixed = names.prefixes.find(
    ({ bytes }) => bytes.length <= to - from && beginsWith(line, from, bytes),
  )
  return prefixed?.inner ?? null
}

const beginsWith = (line: Uint8Array, from: number, bytes: Uint8Array): boolean => {
  for (let at = 0; at < bytes.length; at += 1) if (line[from + at] !== bytes[at]) return false
  return true
}

/** FNV-1a, 32 bits. @see http://www.isthe.com/chongo/tech/comp/fnv/ */
const hash = (bytes: Uint8Array, from: number, to: number): number => {
  let value = 0x811c9dc5
  for (let at = from; at < to; at += 1) value = Math.imul(value ^ (bytes[at] ?? 0), 0x01000193)
  return value
}

const skipBlanks = (line: Uint8Array, from: number): number => {
  let at = from
  for (;;) {
    const byte = line[at]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return at
    at += 1
  }
}

/** The place after the closing quote of the string whose opening quote is before `from`. */
const skipString = (line: Uint8Array, from: number): number => {
  const { length } = line
  for (let at = from; at < length; at += 1) {
    const byte = line[at]
    if (byte === quote) return at + 1
    if (byte === backslash) at += 1
  }
  throw new SyntaxError('it ends in the middle of a text')
}

const skipValue = (line: Uint8Array, from: number): number => {
  const byte = line[from]
  if (byte === quote) return skipString(line, from + 1)
  if (byte === brace || byte === bracket) return skipContainer(line, from + 1)
  return skipScalar(line, from)
}

/** The place after the end of the object or array that begins before `from`, whatever is in it. */
const skipContainer = (line: Uint8Array, from: number): number => {
  const { length } = line
  let depth = 1
  let at = from
  while (at < length) {
    const byte = line[at]
    at += 1
    if (byte === quote) at = skipString(line, at)
    else if (byte === brace || byte === bracket) depth += 1
    else if (byte === closingBrace || byte === closingBracket) {
      depth -= 1
      if (depth === 0) return at
    }
  }
  throw new SyntaxError('it ends in the middle of an object')
}

/** Numbers, `true`, `false`, `null`: whatever stands before the next comma or bracket. */
const skipScalar = (line: Uint8Array, from: number): number => {
  const { length } = line
  let at = from
  while (at < length) {
    const byte = line[at]
    if (byte === comma || byte === closingBrace || byte === closingBracket || byte === 0x20) break
    at += 1
  }
  if (at === from) throw new SyntaxError(`there is no value at byte ${at}`)
  return at
}
