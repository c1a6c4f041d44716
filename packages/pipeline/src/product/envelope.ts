import { decodedPayload } from './connectSchema.ts'
import { type JsonObject, objectOf, textOf } from './json.ts'
import { parseJson } from './parseJson.ts'
import type { Skip } from './skip.ts'

/** What a value contains after all envelopes around it are opened. */
export type Opened =
  | { readonly kind: 'content'; readonly value: unknown; readonly moment: string | null }
  /** A row was deleted. `value` has at least its key, if the envelope has it; otherwise null. */
  | { readonly kind: 'deleted'; readonly value: unknown; readonly moment: string | null }
  | ({ readonly kind: 'skipped' } & Skip)

/**
 * Opens the envelopes that programs put around a product: those of Kafka Connect's JSON converter, of Debezium (also as
 * flattened rows), of MongoDB's connector, of CloudEvents, and of tools that print messages as JSON. A string that
 * contains JSON is parsed. Envelopes can be nested. `moment` is when the row changed, if the envelope has it (ISO 8601).
 */
export const opened = (value: unknown): Opened => {
  let content: unknown = value
  let moment: string | null = null
  for (let depth = 0; depth < maxDepth; depth += 1) {
    content = parsed(content)
    const object = objectOf(content)
    const step = object === null ? null : openedOnce(object)
    if (step === null) break
    if (step.kind === 'skipped') return step
    moment = step.moment ?? moment
    if (step.kind === 'deleted') return { ...step, value: parsed(step.value), moment }
    content = step.value
  }
  return { kind: 'content', value: content, moment }
}

/** Real messages have at most three: a string in Debezium's envelope in Kafka Connect's. */
const maxDepth = 6

/** The members that only envelopes have. A product and a record have none of them, except `source`, which is not read alone. */
export const envelopeMembers = [
  ...['schema', 'payload', 'op', 'before', 'after', 'ts_ms', '__deleted', '__op', '__ts_ms'],
  ...['operationType', 'fullDocument', 'documentKey', 'wallTime', 'specversion', 'type', 'time'],
  ...['data', 'data_base64', 'topic', 'partition', 'offset', 'key', 'value', 'headers', 'timestamp', 'ts'],
] as const

/** The value in a string that contains a JSON object or array, even if it was quoted twice; any other value unchanged. */
export const parsed = (value: unknown): unknown => {
  if (typeof value !== 'string' || !/^\s*(?:"\s*)?[[{]/.test(value)) return value
  try {
    return parsed(parseJson(value))
  } catch {
    return value
  }
}

const openedOnce = (object: JsonObject): Opened | null => {
  for (const open of envelopes) {
    const found = open(object)
    if (found !== null) return found
  }
  return null
}

const content = (value: unknown, moment: string | null = null): Opened => ({
  kind: 'content',
  value,
  moment,
})
const deleted = (value: unknown, moment: string | null = null): Opened => ({
  kind: 'deleted',
  value: value ?? null,
  moment,
})

const has = (object: JsonObject, name: string): boolean => Object.hasOwn(object, name)

/** Kafka Connect's JSON converter with schemas. @see org.apache.kafka.connect.json.JsonSchema */
const connect = (object: JsonObject): Opened | null => {
  if (!has(object, 'schema') || !has(object, 'payload')) return null
  const { schema, payload } = object
  return payload === null ? deleted(null) : content(decodedPayload(schema, payload))
}

/**
 * Debezium's change event.
 * @see https://debezium.io/documentation/reference/stable/connectors/mysql.html#mysql-events
 */
const debezium = (object: JsonObject): Opened | null => {
  const { op, before, after } = object
  if (typeof op !== 'string') return null
  const source = objectOf(object['source'])
  if (source === null && !has(object, 'before') && !has(object, 'after')) return null
  const moment = momentOf(source?.['ts_ms']) ?? momentOf(object['ts_ms'])
  if (op === 'd') return deleted(before, moment)
  if ((op === 'c' || op === 'u' || op === 'r') && after !== null && after !== undefined)
    return content(after, moment)
  return noRow(`a change event of Debezium (\`op: ${op.slice(0, 20)}\`)`)
}

/** A row that Debezium's `ExtractNewRecordState` has flattened. Only deletes differ from other rows. */
const flattened = (object: JsonObject): Opened | null => {
  const { __deleted, __op } = object
  const isDeleted = __deleted === true || __deleted === 'true' || __op === 'd'
  return isDeleted ? deleted(object, momentOf(object['__ts_ms'])) : null
}

/**
 * A change event of MongoDB's own connector.
 * @see https://www.mongodb.com/docs/manual/reference/change-events/
 */
const mongo = (object: JsonObject): Opened | null => {
  const { operationType: type, fullDocument, documentKey } = object
  if (typeof type !== 'string' || !(has(object, 'documentKey') || has(object, 'ns'))) return null
  const moment = momentOf(objectOf(object['wallTime'])?.['$date'])
  if (type === 'delete') return deleted(documentKey, moment)
  return objectOf(parsed(fullDocument)) === null
    ? noRow(`a change event of MongoDB (\`operationType: ${type.slice(0, 20)}\`)`)
    : content(fullDocument, moment)
}

/** @see https://github.com/cloudevents/spec/blob/main/cloudevents/formats/json-format.md */
const cloudEvent = (object: JsonObject): Opened | null => {
  const { specversion, type, data, data_base64: base64, time } = object
  if (typeof specversion !== 'string' || typeof type !== 'string') return null
  const value = typeof base64 === 'string' ? Buffer.from(base64, 'base64').toString('utf8') : data
  return value === undefined || value === null
    ? noRow('a CloudEvent without data')
    : content(value, momentOf(time))
}

/** A message as `offstream topic peek`, kcat and the REST proxy print it. */
const message = (object: JsonObject): Opened | null => {
  if (!has(object, 'partition') || !has(object, 'offset')) return null
  const name = has(object, 'value') ? 'value' : 'payload'
  if (!has(object, name)) return null
  const written = objectOf(object['headers'])?.['as-of']
  const moment = momentOf(written) ?? momentOf(object['timestamp']) ?? momentOf(object['ts'])
  const key = textOf(object['key'])
  const value = parsed(object[name])
  if (value === null) return deleted({ code: key }, moment)
  const fields = objectOf(value)
  return content(fields === null || key === null ? value : { ...fields, code: fields['code'] ?? key }, moment)
}

// A flattened row is a product too, so it is the last.
const envelopes = [connect, debezium, mongo, cloudEvent, message, flattened]

const noRow = (what: string): Opened => ({
  kind: 'skipped',
  skippedBy: 'no-product-in-envelope',
  reason: `it is ${what}, which contains no row`,
})

/** Milliseconds since 1970, or ISO 8601, as ISO 8601 with milliseconds. */
const momentOf = (value: unknown): string | null => {
  const isNumber = typeof value === 'number' || (typeof value === 'string' && /^\d{1,15}$/.test(value))
  const ms = isNumber ? Number(value) : typeof value === 'string' ? Date.parse(value) : Number.NaN
  return isoTime(ms)
}

/** Milliseconds since 1970 as ISO 8601; null for times before 1970 or after 9999. */
export const isoTime = (ms: number): string | null =>
  ms > 0 && ms < endOf9999 ? new Date(ms).toISOString() : null

const endOf9999 = 253_402_300_800_000
