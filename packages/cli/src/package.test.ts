import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { version } from './version.ts'

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const packages = fileURLToPath(new URL('../../', import.meta.url))
const manifestOf = (name: string): Manifest =>
  JSON.parse(readFileSync(`${packages}/${name}/package.json`, 'utf8'))

const own = manifestOf('cli')
/** Our packages whose code is in the bundle. */
const bundled = readdirSync(packages).filter(
  name => own.devDependencies?.[`@offstream/${name}`] !== undefined,
)

test('`offstream --version` prints the version of the package', () => {
  expect(version).toBe(own.version)
})

/** The packages in `from 'chalk'` and `import('csv-stringify/sync')`, without ours and those of Node. */
const imported = /(?:\bfrom |\bimport\()'((?!node:|\.|@offstream\/)(?:@[^/']+\/)?[^/']+)/g
/** The peer dependencies of `@commander-js/extra-typings`. */
const peers = ['commander']

// knip does not know that other packages are bundled into this one.
test('the package has exactly the dependencies of the bundled packages, in the same exact versions', () => {
  const needed = bundled
    .flatMap(name => Object.entries(manifestOf(name).dependencies ?? {}))
    .filter(([name]) => !name.startsWith('@offstream/'))

  const ofOurOwn = readdirSync(`${packages}/cli/src`, { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !/(^|\/)(test[A-Z]\w*|\w+\.test)\.ts$/.test(file))
    .flatMap(file => [...readFileSync(`${packages}/cli/src/${file}`, 'utf8').matchAll(imported)])
    .map(([, name = '']) => name)

  expect(bundled).toEqual(expect.arrayContaining(['pipeline', 'runtime', 'site']))
  expect(own.dependencies).toMatchObject(Object.fromEntries(needed))
  const wanted = new Set([...needed.map(([name]) => name), ...ofOurOwn, ...peers])
  expect(Object.keys(own.dependencies ?? {}).filter(name => !wanted.has(name))).toEqual([])
  expect(Object.values(own.dependencies ?? {}).filter(wanted => !/^\d+\.\d+\.\d+$/.test(wanted))).toEqual([])
})
