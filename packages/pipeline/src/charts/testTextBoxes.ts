import { XmlDocument, XmlElement } from 'libxml2-wasm'

/** A line of text in a drawing: what is outside of the drawing's view box, in pixels; 0 where it fits. */
export interface TextBox {
  readonly text: string
  readonly outside: number
}

/**
 * Widths of the characters from the blank to `~` in thousandths of the font size: DejaVu Sans, which Linux shows where
 * Helvetica and Arial are missing. It is wider than both, and about as wide as Verdana.
 */
const regular = [
  ...[318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636],
  ...[636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775],
  ...[752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390],
  ...[337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612],
  ...[635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838],
]
/** A bold character is at most this much wider than the regular one: `f` of DejaVu Sans. */
const boldFactor = 1.24
/** Of letters beyond ASCII: wider than `é` and `–`, as wide as `…`. */
const otherWidth = 1000

const widthOf = (text: string, size: number, isBold: boolean): number =>
  ([...text].reduce((sum, one) => sum + (regular[one.charCodeAt(0) - 32] ?? otherWidth), 0) *
    size *
    (isBold ? boldFactor : 1)) /
  1000

/** Every line of text in an SVG file that Vega has written. */
export const textBoxesIn = (svg: string): readonly TextBox[] => {
  const document = XmlDocument.fromString(svg)
  try {
    const root = document.root
    const [, , width = 0, height = 0] = numbersIn(attribute(root, 'viewBox'))
    return document
      .find('//svg:text', { svg: 'http://www.w3.org/2000/svg' })
      .filter(node => node instanceof XmlElement)
      .flatMap(element => linesOf(element))
      .map(({ text, left, right, top, bottom }) => ({
        text,
        outside: Math.round(Math.max(0, -left, right - width, -top, bottom - height)),
      }))
  } finally {
    document.dispose()
  }
}

const linesOf = (element: XmlElement) => {
  const [x, y] = positionOf(element)
  const size = Number.parseFloat(attribute(element, 'font-size'))
  const isBold = attribute(element, 'font-weight') === 'bold'
  const anchor = attribute(element, 'text-anchor')
  const parts = element.find('*').filter(node => node instanceof XmlElement)
  let baseline = y
  return (parts.length === 0 ? [element] : parts).map(part => {
    baseline += part === element ? 0 : Number(attribute(part, 'dy') || 0)
    const width = widthOf(part.content, size, isBold)
    const left = anchor === 'end' ? x - width : anchor === 'middle' ? x - width / 2 : x
    return {
      text: part.content,
      left,
      right: left + width,
      top: baseline - size,
      bottom: baseline + size / 4,
    }
  })
}

/** The sum of all translations, which are the only transformations that Vega writes round text. */
const positionOf = (element: XmlElement): readonly [x: number, y: number] => {
  const own = numbersIn(attribute(element, 'transform'))
  const [x, y] = element.parent === null ? [0, 0] : positionOf(element.parent)
  return [x + (own[0] ?? 0), y + (own[1] ?? 0)]
}

const attribute = (element: XmlElement, name: string): string => element.attr(name)?.value ?? ''
const numbersIn = (text: string): number[] => (text.match(/-?[\d.]+(?:e-?\d+)?/g) ?? []).map(Number)
