import { objectOf } from './json.ts'

/**
 * The products in a value of JSON: those of an API's answer (`{ product }` or `{ products: [...] }`), or the value
 * itself.
 */
export const productsIn = (value: unknown): readonly unknown[] => {
  const answer = objectOf(value)
  if (answer === null) return [value]
  if (Array.isArray(answer['products'])) return answer['products']
  const product = objectOf(answer['product'])
  // The code of an answer stands beside the product too, and in the product not where only some fields were asked for.
  return product === null ? [value] : [{ code: answer['code'], ...product }]
}
