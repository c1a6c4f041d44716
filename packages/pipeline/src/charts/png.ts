import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sfntOf } from './sfnt.ts'

/** Pixels of the picture for each pixel of the drawing: sharp on a screen of high density, and on a slide. */
const scale = 2

/**
 * An SVG drawing as a PNG picture, with the font Inter, which offstream includes: a picture must look the same on every
 * machine, even on one without fonts. System fonts are used only for scripts that Inter lacks.
 */
export const pngOf = async (svg: string): Promise<Uint8Array> => {
  const { Resvg } = await import('@resvg/resvg-js')
  // The renderer reads fonts from files only.
  const folder = await mkdtemp(join(tmpdir(), 'offstream-fonts-'))
  try {
    const font = {
      loadSystemFonts: otherScripts.test(svg),
      fontFiles: await writeFonts(folder),
      defaultFontFamily: 'Inter',
    }
    return new Resvg(svg, { font, fitTo: { mode: 'zoom', value: scale } }).render().asPng()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const scripts = ['latin', 'latin-ext', 'greek', 'greek-ext', 'cyrillic', 'cyrillic-ext', 'vietnamese']
const otherScripts =
  /[^\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Common}\p{Script=Inherited}]/u

const writeFonts = (folder: string): Promise<string[]> =>
  Promise.all(
    scripts
      .flatMap(script => [400, 700].map(weight => `inter-${script}-${weight}-normal`))
      .map(async name => {
        const woff = createRequire(import.meta.url).resolve(`@fontsource/inter/files/${name}.woff`)
        const file = join(folder, `${name}.ttf`)
        await writeFile(file, sfntOf(await readFile(woff)))
        return file
      }),
  )
