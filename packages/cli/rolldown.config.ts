import { cpSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from './package.json' with { type: 'json' }

const root = fileURLToPath(new URL('../../', import.meta.url))
const bundle = fileURLToPath(new URL('dist/bundle/', import.meta.url))

/** What the code reads beside itself; `assets.ts` looks for it in `assets/` of an installed package. */
const assets: readonly { readonly from: string; readonly belongs: RegExp }[] = [
  { from: 'config', belongs: /\.(yaml|json|sql|xml|properties)$/ },
  { from: 'charts', belongs: /\.(sql|json)$/ },
  { from: 'spark-jobs', belongs: /^\w+\.py$/ },
  { from: 'packages/pipeline/locks', belongs: /\.(json|txt)$/ },
  { from: 'Data-viz.twb', belongs: /\.twb$/ },
]

const copyAssets: Plugin = {
  name: 'copy-assets',
  writeBundle: () => {
    for (const { from, belongs } of assets) {
      const source = join(root, from)
      const filter = (path: string): boolean => path === source || belongs.test(basename(path))
      cpSync(source, join(bundle, 'assets', basename(from)), { recursive: true, filter })
    }
    cpSync(join(root, 'LICENSE'), join(bundle, 'LICENSE'))
  },
}

/** What is imported by the name of a package and is not ours comes with the installation, or the build fails. */
const isInstalled = (specifier: string): boolean => {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? ''
  if (specifier.startsWith('node:')) return true
  // The last of them is a helper of the bundler.
  if (/^[./\0]/.test(specifier) || name.startsWith('@offstream/') || name === '@oxc-project/runtime')
    return false
  if (Object.hasOwn(manifest.dependencies, name)) return true
  throw new Error(`${name} is imported, but not among the dependencies of packages/cli/package.json`)
}

/**
 * The package `offstream` as it is installed: the code of our own packages in one folder, what is loaded late still in
 * files of its own, everybody else's packages as ordinary dependencies.
 */
export default defineConfig({
  // The program of a thread is no part of another's code, and lies beside the file that starts it.
  input: { main: 'src/main.ts', lineThread: '../pipeline/src/sources/export/lineThread.ts' },
  platform: 'node',
  resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
  // `await using` is younger than the oldest Node that we run on.
  transform: { target: 'node20.19' },
  external: isInstalled,
  plugins: [copyAssets],
  output: { dir: bundle, cleanDir: true, chunkFileNames: '[name]-[hash].js' },
})
