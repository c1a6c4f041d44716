import { XmlDocument, XmlElement } from 'libxml2-wasm'
import { textWidth } from './textWidth.ts'

/** A line of text in a drawing: what is outside of the drawing's view box, in pixels; 0 where it fits. */
export interface TextBox {
  readonly text: string
  readonly outside: number
}

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
    const width = textWidth(part.content, size, isBold)
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
