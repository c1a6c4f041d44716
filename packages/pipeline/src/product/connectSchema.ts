import { objectOf } from './json.ts'

/**
 * The payload of Kafka Connect's JSON converter with readable decimals: the converter writes them as the bytes of a
 * large integer in base64, with the scale in the schema.
 */
export const decodedPayload = (schema: unknown, payload: unknown): unknown => {
  const type = objectOf(schema)
  if (type === null) return payload
  if (type['name'] === 'org.apache.kafka.connect.data.Decimal')
    return typeof payload === 'string' ? decimal(payload, objectOf(type['parameters'])?.['scale']) : payload
  const row = objectOf(payload)
  const { fields } = type
  if (row === null || !Array.isArray(fields)) return payload
  const schemas = new Map(fields.map(field => [objectOf(field)?.['field'], field]))
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, decodedPayload(schemas.get(name), value)]),
  )
}

/** The text of a decimal number, exact; null if the bytes or the scale are not valid. */
const decimal = (base64: string, scale: unknown): string | null => {
  const hex = Buffer.from(base64, 'base64').toString('hex')
  const digits = Number(scale)
  if (hex === '' || hex.length > maxHex || !Number.isInteger(digits) || Math.abs(digits) > maxScale)
    return null
  const unscaled = BigInt.asIntN(hex.length * 4, BigInt(`0x${hex}`))
  if (digits <= 0) return String(unscaled * 10n ** BigInt(-digits))
  const text = String(unscaled < 0n ? -unscaled : unscaled).padStart(digits + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${text.slice(0, -digits)}.${text.slice(-digits)}`
}

/** More digits than any number of a product has. */
const maxHex = 32
const maxScale = 32
