import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../../..')

/** What each package may know of the others: cli → dashboard → pipeline → runtime, never upward. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  site: ['runtime'],
  pipeline: ['runtime'],
  dashboard: ['pipeline', 'runtime'],
  cli: ['dashboard', 'pipeline', 'runtime', 'site'],
  e2e: ['cli', 'dashboard', 'pipeline', 'runtime', 'site'],
  bench: ['cli', 'dashboard', 'pipeline', 'runtime', 'site'],
}

/** One technology, one file or folder: which modules, and the only place that may load them. */
const homes: readonly (readonly [module: RegExp, home: RegExp])[] = [
  [/^(playwright|@crawlee\/)/, /^packages\/pipeline\/src\/sources\/web\//],
  [/^(kafkajs|@platformatic\/kafka)/, /^packages\/pipeline\/src\/topic\//],
  [/^hive-driver/, /^packages\/pipeline\/src\/table\.ts$/],
  [/^vega/, /^packages\/pipeline\/src\/charts\//],
  [/^(commander|@commander-js\/|ora|chalk|cli-table3)/, /^packages\/cli\/src\//],
]

interface Import {
  readonly file: string
  readonly module: string
}

const filesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).flatMap(entry =>
    entry.isFile() ? [relative(root, join(entry.parentPath, entry.name))] : [],
  )

const packages = readdirSync(join(root, 'packages')).filter(name =>
  existsSync(join(root, 'packages', name, 'package.json')),
)
const sources = packages
  .flatMap(name => filesBelow(`packages/${name}/src`))
  .filter(file => file.endsWith('.ts'))
/** Tests, and what only they import (`testSite.ts`). */
const isTest = (file: string): boolean => /\.test\.ts$|^test[A-Z]|^test_|^conftest/.test(basename(file))
const product = sources.filter(file => !isTest(file) && !/^packages\/(e2e|bench)\//.test(file))
const packageOf = (file: string): string => file.split('/')[1] ?? ''
const text = (file: string): string => readFileSync(join(root, file), 'utf8')

const importsOf = (file: string): Import[] =>
  [...text(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\n]+)'/g)].map(([, module = '']) => ({
    file,
    module,
  }))

test('every package has its place in the order', () => {
  expect(packages.filter(name => !(name in mayImport))).toEqual([])
})

test('imports go from the command line down to the runtime, never upward', () => {
  const upward = product.flatMap(importsOf).filter(({ file, module }) => {
    const other =
      /^@offstream\/([\w-]+)/.exec(module)?.[1] ?? (/^offstream\b/.test(module) ? 'cli' : undefined)
    return other !== undefined && !mayImport[packageOf(file)]?.includes(other)
  })
  expect(upward).toEqual([])
})

test('a package reaches another by its name, not by a path', () => {
  const leaving = sources.flatMap(importsOf).filter(({ file, module }) => {
    const target = relative(root, resolve(root, dirname(file), module))
    return module.startsWith('.') && packageOf(target) !== packageOf(file)
  })
  expect(leaving).toEqual([])
})

test('one technology lives in one place', () => {
  const all = product.flatMap(importsOf)
  const astray = homes.flatMap(([wanted, home]) =>
    all.filter(({ file, module }) => wanted.test(module) && !home.test(file)),
  )
  expect(astray).toEqual([])
  // A pattern that matches nothing any more would prove nothing.
  expect(homes.filter(([wanted]) => !all.some(({ module }) => wanted.test(module)))).toEqual([])
})

test('no product code is loaded from a test', () => {
  expect(
    product.flatMap(importsOf).filter(({ module }) => /\/test[A-Z]\w*\.ts$|\.test\.ts$/.test(module)),
  ).toEqual([])
})

test('the runtime has never heard of what it runs', () => {
  const words = /kafka|zookeeper|spark|iceberg|thrift|hive|tableau|open ?food ?facts/i
  expect(product.filter(file => packageOf(file) === 'runtime' && words.test(text(file)))).toEqual([])
})

test('only tests know of the material beside the project', () => {
  const all = [...sources, ...['spark-jobs', 'config', 'charts'].flatMap(filesBelow)]
  const own = all.filter(file => !/\/(\.venv|__pycache__|\.\w+_cache|spark-warehouse)\//.test(file))
  expect(own.filter(file => !isTest(file) && /\.\.\/shared\b|\/work\//.test(text(file)))).toEqual([])
})
