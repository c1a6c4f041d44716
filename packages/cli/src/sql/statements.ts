/** What the lines of a user contain: complete statements, and the beginning of the next one. */
export interface Split {
  /** Without the semicolons; never empty. */
  readonly statements: readonly string[]
  /** The text after the last semicolon; empty if that is only blanks and comments. */
  readonly rest: string
}

/** The tokens that decide whether a semicolon ends a statement; an unfinished string or comment reaches to the end. */
const tokens =
  /(?<comment>--[^\n]*|\/\*(?:.|\n)*?(?:\*\/|$))|(?<quoted>'(?:[^'\\]|\\.|\\\n)*(?:'|$)|"(?:[^"\\]|\\.|\\\n)*(?:"|$)|`[^`]*(?:`|$))|(?<end>;)|[^-/'"`;]+|./gs

/** Splits a text at its semicolons, except those in strings, names and comments. */
export const splitStatements = (text: string): Split => {
  const statements: string[] = []
  let current = ''
  let isEmpty = true
  for (const { 0: token, groups = {} } of text.matchAll(tokens)) {
    if (groups['end'] === undefined) {
      current += token
      if (groups['comment'] === undefined && token.trim() !== '') isEmpty = false
      // An open comment may be continued on the next line.
      if (token.startsWith('/*') && !token.endsWith('*/')) isEmpty = false
      continue
    }
    if (!isEmpty) statements.push(current.trim())
    current = ''
    isEmpty = true
  }
  return { statements, rest: isEmpty ? '' : current }
}
