import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { root } from './repository.ts'

/** The packages that each package may import: cli → dashboard → pipeline → runtime, never upward. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  site: ['runtime'],
  pipeline: ['runtime'],
  dashboard: ['pipeline', 'runtime'],
  cli: ['dashboard', 'pipeline', 'runtime', 'site'],
  e2e: ['cli', 'dashboard', 'pipeline', 'runtime', 'site'],
  bench: ['cli', 'dashboard', 'pipeline', 'runtime', 'site'],
}

/**
 * The floors of a package, the lowest first. A room imports only itself and the rooms of lower floors. A room is a folder
 * (`topic/`), a file (`table.ts`) or all other files of a folder (`sources/*.ts`, also `.tsx`).
 * Spaces separate the rooms of one floor.
 */
const floors: Readonly<Record<string, readonly string[]>> = {
  runtime: ['errors.ts', '*.ts', 'artifacts/', 'supervisor/', 'daemon/', 'index.ts'],
  pipeline: [
    'names.ts',
    'errors.ts',
    'credentials.ts',
    'product/',
    'thrift/',
    'table.ts',
    'project/',
    'runtimes/',
    'topic/',
    'services/',
    'lake/',
    'sources/guest/',
    'sources/*.ts',
    'sources/export/ sources/web/ sources/api.ts sources/topic.ts',
    'sources/stdin.ts',
    'sources/open.ts',
    'scrape/',
    'charts/',
    'tableau/ connect/',
    'logs/',
    'stack/',
    'support/',
    'index.ts',
  ],
  dashboard: [
    'wire.ts',
    'page/words/',
    'page/*.ts',
    'page/parts/',
    'page/views/',
    'page/shell.tsx',
    'page/main.tsx',
    'server/',
    'index.ts',
    'main.ts',
  ],
  cli: ['*.ts', 'formats/', 'completion/', 'sql/', 'commands/', 'commands.ts', 'allCommands.ts', 'main.ts'],
}

/** Each technology, and the only file or folder that may import its modules. */
const homes: readonly (readonly [module: RegExp, home: RegExp])[] = [
  [/^(playwright|p-queue)/, /^packages\/pipeline\/src\/sources\/web\//],
  [/^(kafkajs|@platformatic\/kafka)/, /^packages\/pipeline\/src\/topic\/client\.ts$/],
  [/^postgres$/, /^packages\/pipeline\/src\/services\/postgresql\.ts$/],
  [/^robots-parser/, /^packages\/pipeline\/src\/sources\/guest\//],
  [/^hive-driver/, /^packages\/pipeline\/src\/table\.ts$/],
  [/^@resvg\//, /^packages\/pipeline\/src\/charts\/png\.ts$/],
  [/^vega/, /^packages\/pipeline\/src\/charts\//],
  [/^(hono|@hono\/)/, /^packages\/dashboard\/src\/(server\/|main\.ts$)/],
  [/^(preact|@preact\/|uplot)/, /^packages\/dashboard\/src\/page\//],
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
  .filter(file => /\.tsx?$/.test(file))
/** Test files, and files that only tests import (`testSite.ts`). */
const isTest = (file: string): boolean => /\.test\.ts$|^test[A-Z]|^test_|^conftest/.test(basename(file))
const product = sources.filter(file => !isTest(file) && !/^packages\/(e2e|bench)\//.test(file))
const packageOf = (file: string): string => file.split('/')[1] ?? ''
const text = (file: string): string => readFileSync(join(root, file), 'utf8')

/** Imports of types count too: they show what a file must know. */
const importsOf = (file: string): Import[] =>
  [...text(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^'\n]+)'/g)].map(([, module = '']) => ({
    file,
    module,
  }))

/** The files of the same package that a file imports. */
const importedFiles = (file: string): string[] =>
  importsOf(file).flatMap(({ module }) =>
    module.startsWith('.') ? [relative(root, resolve(root, dirname(file), module))] : [],
  )

/** The groups of files that import each other, directly or through others (Tarjan's algorithm). */
const cyclesAmong = (files: readonly string[]): string[][] => {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const path: string[] = []
  const cycles: string[][] = []
  const visit = (file: string): number => {
    const place = order.size
    order.set(file, place)
    lowest.set(file, place)
    path.push(file)
    for (const other of importedFiles(file).filter(imported => files.includes(imported))) {
      const reached = order.has(other)
        ? path.includes(other)
          ? (order.get(other) ?? place)
          : place
        : visit(other)
      lowest.set(file, Math.min(lowest.get(file) ?? place, reached))
    }
    if (lowest.get(file) === place) {
      const group = path.splice(path.indexOf(file))
      if (group.length > 1) cycles.push(group.toSorted())
    }
    return lowest.get(file) ?? place
  }
  for (const file of files) if (!order.has(file)) visit(file)
  return cycles
}

interface Room {
  readonly name: string
  /** 0 is the lowest; -1 if the file has no room. */
  readonly floor: number
}

const roomOf = (file: string): Room => {
  const inside = file.split('/').slice(3).join('/')
  const folder = inside.slice(0, inside.lastIndexOf('/') + 1)
  const rooms = (floors[packageOf(file)] ?? []).flatMap((names, floor) =>
    names.split(' ').map(name => ({ name, floor })),
  )
  return (
    rooms.find(({ name }) => name === inside) ??
    rooms.find(({ name }) => name.endsWith('/') && inside.startsWith(name)) ??
    rooms.find(({ name }) => name === `${folder}*.ts`) ?? { name: inside, floor: -1 }
  )
}

test('every package has its place in the order', () => {
  expect(packages.filter(name => !(name in mayImport))).toEqual([])
})

test('a package imports only packages below it', () => {
  const upward = product.flatMap(importsOf).filter(({ file, module }) => {
    const other =
      /^@offstream\/([\w-]+)/.exec(module)?.[1] ?? (/^offstream\b/.test(module) ? 'cli' : undefined)
    return other !== undefined && !mayImport[packageOf(file)]?.includes(other)
  })
  expect(upward).toEqual([])
})

test('a package imports another package by its name, not by a path', () => {
  const leaving = sources.flatMap(file =>
    importedFiles(file)
      .filter(imported => packageOf(imported) !== packageOf(file))
      .map(imported => `${file} → ${imported}`),
  )
  expect(leaving).toEqual([])
})

test('no files import each other in a cycle', () => {
  expect(cyclesAmong(sources)).toEqual([])
})

const withRooms = product.filter(file => packageOf(file) in floors)

test('every file of a package with rooms has a room', () => {
  expect(withRooms.filter(file => roomOf(file).floor === -1)).toEqual([])
})

test('a room imports only rooms below it', () => {
  const upward = withRooms.flatMap(file => {
    const room = roomOf(file)
    return importedFiles(file).flatMap(imported => {
      const other = roomOf(imported)
      return other.name === room.name || other.floor < room.floor ? [] : [`${file} → ${imported}`]
    })
  })
  expect(upward).toEqual([])
})

test('only one place imports each technology', () => {
  const all = product.flatMap(importsOf)
  const elsewhere = homes.flatMap(([modules, home]) =>
    all.filter(({ file, module }) => modules.test(module) && !home.test(file)),
  )
  expect(elsewhere).toEqual([])
  // A pattern that matches no import checks nothing.
  expect(homes.filter(([modules]) => !all.some(({ module }) => modules.test(module)))).toEqual([])
})

test('product code imports no test file', () => {
  expect(
    product.flatMap(importsOf).filter(({ module }) => /\/test[A-Z]\w*\.ts$|\.test\.ts$/.test(module)),
  ).toEqual([])
})

test('the runtime does not mention the services that run on it', () => {
  const words = /kafka|zookeeper|spark|iceberg|thrift|hive|tableau|open ?food ?facts/i
  expect(product.filter(file => packageOf(file) === 'runtime' && words.test(text(file)))).toEqual([])
})

// Node.js 20 may delete such a timeout before its time. `withDeadline`, `until` and `firstOf` keep it.
test('no timeout is only a part of another signal', () => {
  expect(product.filter(file => /AbortSignal\.any\([^()]*AbortSignal\.timeout/.test(text(file)))).toEqual([])
})

test('only tests read files from outside the repository', () => {
  const all = [...sources, ...['spark-jobs', 'config', 'charts'].flatMap(filesBelow)]
  const own = all.filter(file => !/\/(\.\w+|__pycache__|spark-warehouse)\//.test(file))
  expect(own.filter(file => !isTest(file) && /\.\.\/shared\b|\/work\//.test(text(file)))).toEqual([])
})
