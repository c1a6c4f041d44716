import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Guide } from '@offstream/pipeline'
import { makeCertificates } from '@offstream/pipeline/testCertificates'
import { generateCatalogue } from '@offstream/site'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Pipeline, startPipeline } from './pipeline.ts'
import { installedPython } from './python.ts'

const products = 60
const clientTimeoutMs = 120_000

/** The password of the Thrift server, when it requires one. */
const login = { OFFSTREAM_THRIFT_PASSWORD: 'open-sesame' }

let pipeline: Pipeline
/** The folder of the clients. */
let clients: string
/** The lines that a query of NOVA groups returns, such as `1 12`. */
let groups: string[]

beforeAll(async () => {
  clients = await installedPython('connect')
  pipeline = await startPipeline(generateCatalogue({ count: products }))
  await pipeline.scrape('--limit', String(products))
  await pipeline.waitForTable(`visible=${products}`)
  const rows = await pipeline.query(
    'SELECT nova_group, count(*) AS products FROM Products GROUP BY nova_group ORDER BY nova_group',
  )
  groups = rows.map(row => `${row['nova_group']} ${row['products']}`)
})
afterAll(() => pipeline[Symbol.asyncDispose]())

const inClients = (program: string): string => join(clients, 'bin', program)

/** Runs a program of a client. A client that speaks another protocol than the server waits without end. */
const run = (program: string, args: readonly string[], options: { cwd?: string } = {}) =>
  execa(program, args, { ...options, env: { DO_NOT_TRACK: '1', ...login }, timeout: clientTimeoutMs })

/** Writes the samples of a guide to a folder. */
const samplesOf = async (tool: string): Promise<{ readonly folder: string; readonly guide: Guide }> => {
  const guide = (await pipeline.stack.json(['connect', tool])) as Guide
  const folder = await mkdtemp(join(pipeline.stack.directory, `${tool}-`))
  for (const { name, text } of guide.samples) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    // A script must not have the name of a module that it imports.
    await writeFile(join(folder, name.replace(/^(\w+\.py)$/, 'run_$1')), text)
  }
  return { folder, guide }
}

const python = async (tool: string, script: string): Promise<string> => {
  const { folder } = await samplesOf(tool)
  const { stdout } = await run(inClients('python'), [join(folder, `run_${script}`)], { cwd: folder })
  return stdout
}

const numbersIn = (text: string): string[] =>
  text.split('\n').flatMap(line => {
    const cells = line.match(/[\w]+/g) ?? []
    return /^(\d|None|NULL|null)$/.test(cells[0] ?? '') ? [cells.slice(0, 2).join(' ')] : []
  })

const inOrder = (lines: readonly string[]): string[] =>
  lines.map(line => line.replace(/^(None|NULL)\b/, 'null')).toSorted()

describe('the scripts that `offstream connect` prints return the rows of the table', () => {
  test.each([
    ['python', 'sqlalchemy.py'],
    ['python', 'pyhive.py'],
    ['python', 'impyla.py'],
    ['duckdb', 'duckdb_pyiceberg.py'],
    ['duckdb', 'duckdb_iceberg.py'],
    ['polars', 'polars_iceberg.py'],
  ])('%s: %s', async (tool, script) => {
    expect(inOrder(numbersIn((await python(tool, script)).replace(/[│|]/g, ' ')))).toEqual(inOrder(groups))
  })

  test('python: pyiceberg.py', async () => {
    expect(await python('python', 'pyiceberg.py')).toBe(String(products))
  })

  test('jdbc: beeline', async () => {
    const { folder } = await samplesOf('jdbc')
    const { stdout } = await run('sh', [join(folder, 'beeline.sh')])
    expect(stdout).toMatch(new RegExp(`\\| ${products} +\\|`))
  })

  test('superset: the dialect of its URI reads the columns and the rows of a view', async () => {
    const { guide } = await samplesOf('superset')
    const script =
      'import sys; from sqlalchemy import create_engine, inspect, text; ' +
      'engine = create_engine(sys.argv[1]); ' +
      'print(len(inspect(engine).get_columns("products")), ' +
      'engine.connect().execute(text("SELECT count(*) FROM Products")).scalar())'
    const uri = guide.settings['SQLAlchemy URI'] ?? ''
    const { stdout } = await run(inClients('python'), ['-c', script, uri])
    expect(stdout).toBe(`32 ${products}`)
  })

  test('dbt: one model, which is a view', async () => {
    const { folder } = await samplesOf('dbt')
    const { stdout } = await run(inClients('dbt'), ['run', '--profiles-dir', '.'], { cwd: folder })
    expect(stdout).toContain('PASS=1')
    const [row] = await pipeline.query('SELECT sum(products) AS products FROM products_by_grade')
    expect(row).toEqual({ products })
  })
})

describe('with a password and TLS', () => {
  beforeAll(async () => {
    const { stack } = pipeline
    const { caFile, of } = await makeCertificates(stack.directory, { sql: `IP:${stack.config.host}` })
    const settings = [
      ...['thrift.auth.username=ana', 'thrift.tls.enabled=true', `thrift.tls.caFile=${caFile}`],
      ...[`thrift.tls.certFile=${of.sql.certFile}`, `thrift.tls.keyFile=${of.sql.keyFile}`],
    ]
    const set = settings.flatMap(setting => ['--set', setting])
    await stack.succeed(['restart', 'thrift', ...set], { env: login })
  })

  test('python: impyla.py', async () => {
    expect(inOrder(numbersIn(await python('python', 'impyla.py')))).toEqual(inOrder(groups))
  })

  test('jdbc: beeline, after the authority was copied into a key store', async () => {
    const { folder, guide } = await samplesOf('jdbc')
    const keytool = guide.steps.flatMap(step => /keytool .*/.exec(step)?.[0] ?? [])
    await run('sh', ['-c', keytool[0] ?? ''], { cwd: folder })
    const { stdout } = await run('sh', [join(folder, 'beeline.sh')], { cwd: folder })
    expect(stdout).toMatch(new RegExp(`\\| ${products} +\\|`))
  })
})
