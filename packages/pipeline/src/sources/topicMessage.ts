import { type Candidate, codeIn } from '../product/answer.ts'
import { isoTime, opened } from '../product/envelope.ts'
import { type JsonObject, objectOf } from '../product/json.ts'
import { codeOf, momentOf, writtenCode } from '../product/productOf.ts'
import type { SkipReason } from '../product/skip.ts'
import type { TopicMessage } from '../topic/reader.ts'
import { readJson } from '../topic/wireFormat.ts'
import type { Found, ReadResult } from './reader.ts'
import type { SourceRun } from './source.ts'
import { suggestedMapping } from './suggestMapping.ts'
import type { Mapper } from './topicMapping.ts'

/**
 * What a message contains. A product without a code gets the code of the key, and one without a time that of the message.
 * A null value deletes the product of the key.
 */
export const foundIn = (topic: string, message: TopicMessage, map: Mapper): readonly Found[] => {
  const { partition, offset, key, value, headers, timestampMs } = message
  const address = `${topic}[${partition}]@${offset}`
  const code = key === null ? null : codeOfKey(key)
  const sent = isoTime(timestampMs)
  if (value === null) {
    if (code === null) return [{ address, skippedBy: 'invalid-code', reason: 'its key is not a barcode' }]
    // A delete by offstream has its time in a header.
    return [{ address, gone: code, as_of: momentOf({ as_of: headers['as-of'] }) ?? sent }]
  }
  const read = readJson(value)
  if ('skippedBy' in read) return [{ address, ...read }]
  const candidates = map(read.json)
  // If a message has several products, its key is not the code of any of them.
  const own = candidates.length === 1 ? code : null
  return candidates.map(candidate => ({ address, ...completed(candidate, own, sent) }))
}

/** The barcode in a key: plain text, or JSON as Kafka Connect and Debezium write it. */
const codeOfKey = (key: Buffer): string | null => {
  const text = codeOf(key.toString('utf8'))
  if (text !== null) return text
  const read = readJson(key)
  if ('skippedBy' in read) return null
  const { value } = opened(read.json) as { readonly value?: unknown }
  return codeIn(value) ?? codeOfMongo(value)
}

/** Debezium's connector for MongoDB has the `_id` of the document as JSON in the text `id`. */
const codeOfMongo = (key: unknown): string | null => {
  const id = objectOf(key)?.['id']
  return typeof id === 'string' && /^"[^"]*"$/.test(id) ? codeOf(id.slice(1, -1)) : null
}

const completed = (candidate: Candidate, code: string | null, sent: string | null): Candidate => {
  if ('skippedBy' in candidate) return candidate
  if ('gone' in candidate) return { gone: candidate.gone ?? code, as_of: candidate.as_of ?? sent }
  const product = objectOf(candidate.value)
  if (product === null) return candidate
  const isKeyed = code !== null && writtenCode(product) === undefined
  if (isKeyed && !looksLikeProduct(product))
    return {
      skippedBy: 'no-product-fields',
      reason: 'its key may be a barcode, but it has no field that only products have',
    }
  return {
    value: {
      ...product,
      ...(isKeyed ? { code } : {}),
      ...(momentOf(product) === null && sent !== null ? { as_of: sent } : {}),
    },
  }
}

/** Orders, articles and users also have numeric keys, and a quantity, categories, a country or an image. */
const looksLikeProduct = (fields: JsonObject): boolean =>
  Object.entries(fields).some(
    ([name, value]) => value !== null && value !== undefined && ownFields.test(name),
  )

const ownFields =
  /^(?:product_name|generic_name|brands|ingredients_text|allergens|additives|nutriments?|nutrition|nutriscore|nova_group|environmental_score|ecoscore|.*_100g$)/

/** Skip reasons for which a mapping may help, because the message may have another format. */
const needsMapping: ReadonlySet<SkipReason> = new Set([
  ...(['no-code', 'invalid-code', 'no-product-fields', 'not-an-object'] as const),
  ...(['no-product-in-envelope', 'no-product-in-response', 'binary-message'] as const),
])

/**
 * Adds to the reason of a skip that a mapping can help. A message of another program often has a numeric key and no field
 * of a product. A null value has nothing to map.
 */
export const namingMapping = ({ value }: TopicMessage, result: ReadResult | null): ReadResult | null => {
  if (value === null || result?.kind !== 'unreadable' || !needsMapping.has(result.skippedBy)) return result
  const advice =
    result.skippedBy === 'binary-message'
      ? '; `topic.mapping` needs JSON: convert the topic, for example with Kafka Connect’s JsonConverter'
      : '; if it has another format, set `topic.mapping`'
  return { ...result, reason: `${result.reason}${advice}` }
}

/** How many messages get a suggestion. */
const maxSuggestions = 3

/** Suggests a mapping for each of the first messages that are not products. Equal suggestions are reported once. */
export class MappingSuggestions {
  private readonly report: SourceRun['report']
  private readonly reported = new Set<string>()
  private left = maxSuggestions

  constructor(report: SourceRun['report']) {
    this.report = report
  }

  readonly add = ({ value }: TopicMessage, results: readonly (ReadResult | null)[]): void => {
    const [result] = results
    if (this.left === 0 || value === null || result?.kind !== 'unreadable') return
    const read = needsMapping.has(result.skippedBy) ? readJson(value) : null
    if (read === null || 'skippedBy' in read) return
    const suggestion = suggestedMapping(read.json)
    const text = JSON.stringify(suggestion.mapping)
    if (this.reported.has(text)) return
    this.left -= 1
    this.reported.add(text)
    this.report({ kind: 'mapping', address: result.address, ...suggestion })
  }
}
