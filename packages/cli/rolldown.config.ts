import { cpSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'rolldown'
import manifest from './package.json' with { type: 'json' }

const root = fileURLToPath(new URL('../../', import.meta.url))
const bundle = fileURLToPath(new URL('dist/bundle/', import.meta.url))

/** Files that the code reads; `assets.ts` finds them in `assets/` of an installed package. */
const assets: readonly { readonly from: string; readonly included: RegExp }[] = [
  { from: 'config', included: /^(?!__pycache__$)(?!.*\.svg$)/ },
  { from: 'charts', included: /\.(sql|json)$/ },
  { from: 'spark-jobs', included: /^(?:\w+\.(?:py|java)|offstream_jobs|token)$/ },
  { from: 'packages/pipeline/locks', included: /\.(json|txt)$/ },
  { from: 'Data-viz.twb', included: /\.twb$/ },
]

const copyAssets: Plugin = {
  name: 'copy-assets',
  writeBundle: () => {
    for (const { from, included } of assets) {
      const source = join(root, from)
      const filter = (path: string): boolean => path === source || included.test(basename(path))
      cpSync(source, join(bundle, 'assets', basename(from)), { recursive: true, filter })
    }
    cpSync(join(root, 'packages/dashboard/dist/bundle'), join(bundle, 'assets', 'page'), { recursive: true })
    cpSync(join(root, 'LICENSE'), join(bundle, 'LICENSE'))
  },
}

/** Imports of other packages must be dependencies of this one; otherwise the build fails. */
const isInstalled = (specifier: string): boolean => {
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? ''
  if (specifier.startsWith('node:')) return true
  // The last one is a helper of the bundler.
  if (/^[./\0]/.test(specifier) || name.startsWith('@offstream/') || name === '@oxc-project/runtime')
    return false
  if (Object.hasOwn(manifest.dependencies, name)) return true
  throw new Error(`${name} is imported, but not among the dependencies of packages/cli/package.json`)
}

/**
 * Bundles the code of our packages into one folder. Modules that are loaded later stay in separate files, and
 * other packages stay dependencies.
 */
export default defineConfig({
  input: {
    main: 'src/main.ts',
    // The program of the service `dashboard`, see `assets.ts` of the pipeline.
    dashboard: '../dashboard/src/main.ts',
    // A thread has its own entry, next to the file that starts it.
    lineThread: '../pipeline/src/sources/export/lineThread.ts',
  },
  platform: 'node',
  resolve: { conditionNames: ['source', 'import', 'node', 'default'] },
  // Node 20 does not know `await using`.
  transform: { target: 'node20.19' },
  external: isInstalled,
  plugins: [copyAssets],
  output: { dir: bundle, cleanDir: true, chunkFileNames: '[name]-[hash].js' },
})
