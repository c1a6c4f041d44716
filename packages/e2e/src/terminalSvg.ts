/** A command of a session, and what it printed, with the colour codes of a terminal. */
export interface Shown {
  readonly command: string
  readonly output: string
}

const [fontSize, lineHeight, margin, bar] = [13, 19, 20, 34]
/** The width of a character in the widest common monospaced font. */
const characterWidth = 0.61 * fontSize
const maxColumns = 104

/** The colours of a terminal (SGR 30 to 37), for a dark background. */
const colours: Readonly<Record<string, string>> = {
  ...{ '31': '#ff7b72', '32': '#56d364', '33': '#e3b341', '36': '#56d4dd' },
}
const [paper, ink, dim, prompt] = ['#0d1117', '#e6edf3', '#9da7b3', '#6cb0f5']

/** A session of a terminal as a picture: an SVG file without external resources or animation. */
export const terminalSvg = (session: readonly Shown[]): string => {
  const lines = session.flatMap(({ command, output }, at) => [
    ...(at === 0 ? [] : ['']),
    `<tspan fill="${prompt}">$</tspan> <tspan font-weight="700">${escaped(command)}</tspan>`,
    ...output.trimEnd().split('\n').map(line),
  ])
  const width = Math.ceil(maxColumns * characterWidth) + 2 * margin
  const height = bar + lines.length * lineHeight + margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A session of offstream in a terminal">`,
    `<rect width="${width}" height="${height}" rx="10" fill="${paper}"/>`,
    ...['#ff5f57', '#febc2e', '#28c840'].map(
      (fill, at) => `<circle cx="${margin + at * 20}" cy="18" r="6" fill="${fill}"/>`,
    ),
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}" fill="${ink}" xml:space="preserve">`,
    ...lines.map((text, at) => `<text x="${margin}" y="${bar + 16 + at * lineHeight}">${text}</text>`),
    '</g>',
    '</svg>\n',
  ].join('\n')
}

/** A line with its colours; one that is too long ends with `…`. */
const line = (written: string): string => {
  let style = ''
  let left = maxColumns
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the codes of a terminal start with one
  return written.split(/\u001b\[([\d;]*)m/).reduce((shown, part, at) => {
    if (at % 2 === 1) {
      style = styleOf(part)
      return shown
    }
    const characters = [...part]
    if (characters.length === 0 || left === 0) return shown
    const fits = characters.length <= left
    const text = fits ? part : `${characters.slice(0, left - 1).join('')}…`
    left = fits ? left - characters.length : 0
    return `${shown}${style === '' ? escaped(text) : `<tspan ${style}>${escaped(text)}</tspan>`}`
  }, '')
}

const styleOf = (code: string): string => {
  if (code === '1') return 'font-weight="700"'
  if (code === '2') return `fill="${dim}"`
  const fill = colours[code]
  return fill === undefined ? '' : `fill="${fill}"`
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
