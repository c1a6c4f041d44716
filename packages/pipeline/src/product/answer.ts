import { objectOf } from './json.ts'

/**
 * The products in a JSON value: those of an answer of the API (`{ product }` or `{ products: [...] }`); otherwise the
 * value itself.
 */
export const productsIn = (value: unknown): readonly unknown[] => {
  const answer = objectOf(value)
  if (answer === null) return [value]
  if (Array.isArray(answer['products'])) return answer['products']
  const product = objectOf(answer['product'])
  // An answer repeats the code outside the product. With `fields=…` the product itself may lack it.
  return product === null ? [value] : [{ code: answer['code'], ...product }]
}
