import { escapeXml } from '../charts/escapeXml.ts'

/** An element of XML: its name, its attributes, and its text or its elements. */
export interface Element {
  readonly name: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly content: string | readonly Element[]
}

export const element = (
  name: string,
  attributes: Readonly<Record<string, string | number>> = {},
  content: string | readonly Element[] = [],
): Element => ({ name, attributes, content })

/** A document as Tableau writes it: two spaces for each level, attributes in single quotes. */
export const documentOf = (root: Element, comment: string): string =>
  `<?xml version='1.0' encoding='utf-8' ?>\n<!-- ${comment} -->\n${written(root, '')}\n`

const written = ({ name, attributes, content }: Element, indent: string): string => {
  const start = `${indent}<${[name, ...Object.entries(attributes).map(([key, value]) => `${key}='${escaped(String(value))}'`)].join(' ')}`
  if (content.length === 0) return `${start} />`
  if (typeof content === 'string') return `${start}>${escaped(content)}</${name}>`
  return [`${start}>`, ...content.map(child => written(child, `${indent}  `)), `${indent}</${name}>`].join(
    '\n',
  )
}

const escaped = (text: string): string => escapeXml(text).replaceAll('\n', '&#10;').replaceAll('\t', '&#9;')
