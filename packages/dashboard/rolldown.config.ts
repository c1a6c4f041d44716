import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'rolldown'

const page = fileURLToPath(new URL('src/page/', import.meta.url))
const bundle = fileURLToPath(new URL('dist/bundle/', import.meta.url))

/** Joins the style sheets in one file, uPlot's first, and copies the files that need no build. */
const copyFiles: Plugin = {
  name: 'copy-files',
  writeBundle: () => {
    mkdirSync(bundle, { recursive: true })
    const styles = join(page, 'style')
    const files = [
      createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'),
      // `base.css` is the first in the alphabet.
      ...readdirSync(styles)
        .sort()
        .map(name => join(styles, name)),
    ]
    writeFileSync(join(bundle, 'page.css'), files.map(file => readFileSync(file, 'utf8')).join('\n'))
    for (const name of ['index.html', 'icon.svg']) copyFileSync(join(page, name), join(bundle, name))
  },
}

/** Bundles the page into three files, without an import of another host. */
export default defineConfig({
  input: { page: join(page, 'main.tsx') },
  platform: 'browser',
  transform: { target: 'es2023' },
  plugins: [copyFiles],
  output: { dir: bundle, cleanDir: true, entryFileNames: '[name].js', minify: true },
})
