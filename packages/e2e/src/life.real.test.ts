import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  brokersOf,
  findChromium,
  localCluster,
  normaliseCode,
  openPublisher,
  Product,
  pipelineServices,
  serialize,
  topicName,
} from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import {
  type CatalogueProduct,
  generateCatalogue,
  readCatalogue,
  type Site,
  startSite,
} from '@offstream/site'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { goldenFile, goldenNames, goldenProduct, goldenText } from './golden.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { root } from './repository.ts'
import type { ScratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'

const realCatalogue = join(import.meta.dirname, '../../../../shared/off/products.jsonl')

/** The tests share one stack and depend on their order, because a start per test takes too long. */
describe.skipIf((await findChromium()) === null)('a stack (needs Chromium)', () => {
  const generated = generateCatalogue({ count: 60 })
  let pipeline: Pipeline
  let stack: ScratchStack
  let site: Site
  beforeAll(async () => {
    pipeline = await createPipeline(generated)
    ;({ stack, site } = pipeline)
  })
  afterAll(() => pipeline?.[Symbol.asyncDispose]())

  const status = () => pipeline.status()
  const select = (sql: string) => pipeline.query(sql)
  const waitForTable = () => pipeline.waitForTable()

  test('Ctrl-C during a start stops the services that were started', async () => {
    await using up = stack.start(['up'])
    await until(
      async () => {
        const running = await stack.processes()
        if (!running.some(process => process.includes('QuorumPeerMain'))) throw new Error(running.join('\n'))
      },
      { what: 'the first service to run', timeoutMs: 60_000, intervalMs: 20 },
    )
    up.signal('SIGINT')
    expect((await up.result).exitCode).toBe(130)
    await stack.waitUntilGone(/./)
    expect((await stack.run(['status'])).exitCode).toBe(3)
  })

  test('up starts every service and prints a line for each', async () => {
    const { shown } = await stack.run(['up'])
    expect(shown.split('\n').toSorted()).toEqual([
      '! All services are ready. Next: `offstream submit`, then `offstream scrape --limit 100`',
      '! ✔ kafka  ready on port <kafka.port> after <time>',
      '! ✔ spark-master  ready on port <spark.port> after <time>',
      '! ✔ spark-worker  ready on port <spark.worker.webPort> after <time>',
      '! ✔ thrift  ready on port <thrift.port> after <time>',
      '! ✔ zookeeper  ready on port <zookeeper.port> after <time>',
      'exit 0',
    ])
  })

  test('without the job the stack is healthy and all counts are 0', async () => {
    const { state, services, flow } = await status()
    expect([state, services.map(({ health }) => health)]).toEqual([
      'healthy',
      ['healthy', 'healthy', 'healthy', 'healthy', 'healthy', 'unknown', 'unknown'],
    ])
    expect(flow).toEqual({
      fetched: 0,
      acknowledged: 0,
      consumed: null,
      rows: 0,
      rejected: 0,
      visible: 0,
      lag: null,
      freshnessSeconds: null,
    })
  })

  test('submit starts the job', async () => {
    expect((await stack.run(['submit'])).shown).toMatchInlineSnapshot(`
      "! ✔ products-stream ready after <time>
      ! The job is running. Next: \`offstream scrape --limit 100\`, then \`offstream status\`
      exit 0"
    `)
  })

  test('a second up and submit start nothing', async () => {
    const before = await stack.processes()
    const [up, submit] = [await stack.run(['up']), await stack.run(['submit'])]
    expect(up.shown.split('\n').toSorted()).toEqual([
      '! All services are ready. Next: `offstream submit`, then `offstream scrape --limit 100`',
      '! ✔ kafka  already running on port <kafka.port>, pid <pid>',
      '! ✔ spark-master  already running on port <spark.port>, pid <pid>',
      '! ✔ spark-worker  already running on port <spark.worker.webPort>, pid <pid>',
      '! ✔ thrift  already running on port <thrift.port>, pid <pid>',
      '! ✔ zookeeper  already running on port <zookeeper.port>, pid <pid>',
      'exit 0',
    ])
    expect(submit.shown).toMatchInlineSnapshot(`
      "! ✔ products-stream already running, pid <pid>
      ! The job is running. Next: \`offstream scrape --limit 100\`, then \`offstream status\`
      exit 0"
    `)
    expect(await stack.processes()).toEqual(before)
  })

  test('every product arrives in the table with the values of the site', async () => {
    await pipeline.scrape()
    const { flow } = await waitForTable()
    expect(flow).toEqual({
      fetched: 60,
      acknowledged: 60,
      consumed: 60,
      rows: 60,
      rejected: 0,
      visible: 60,
      lag: 0,
      freshnessSeconds: expect.any(Number),
    })
    expect(await differences(generated.products)).toEqual([])
  })

  test('a second scrape changes only the times and the product that changed', async () => {
    const all = `SELECT ${Product.keyof().options.join(', ')} FROM Products ORDER BY code`
    const seen = { as_of: expect.any(String), observed_at: expect.any(String) }
    const before = await select(all)
    const changed = {
      ...(generated.products[7] as CatalogueProduct),
      product_name: 'Renamed',
      nutriscore_grade: 'a',
    }
    site.update(changed)

    await pipeline.scrape()

    const { flow } = await waitForTable()
    expect([flow.acknowledged, flow.consumed, flow.rows, flow.visible]).toEqual([120, 120, 60, 60])
    const after = await select(all)
    expect(after).toEqual(
      before.map(row =>
        row['code'] === normaliseCode(changed.code)
          ? { ...row, ...seen, product_name: 'Renamed', nutriscore_grade: 'a', url: expect.any(String) }
          : { ...row, ...seen },
      ),
    )
  })

  test('a message that is not a product is rejected with its reason, and the stream continues', async () => {
    const [golden = ''] = goldenNames
    const product = {
      ...(await goldenProduct(golden)),
      code: '4000000000000',
      product_name: 'After the garbage',
    }
    const kafka = new Kafka({ brokers: [...brokersOf(stack.config)], logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic: topicName,
      messages: [
        { key: '20000011', value: '{"code": "20000011", "product_name' },
        { key: product.code, value: JSON.stringify(product) },
      ],
    })
    await producer.disconnect()

    const { flow } = await waitForTable()

    expect([flow.rejected, flow.rows]).toEqual([1, 61])
    expect(await select('SELECT topic, key, value, reason FROM products_rejected')).toEqual([
      {
        topic: topicName,
        key: '20000011',
        value: '{"code": "20000011", "product_name',
        reason: 'value: is not a JSON object',
      },
    ])
    expect(await select(`SELECT product_name FROM Products WHERE code = '${product.code}'`)).toEqual([
      { product_name: 'After the garbage' },
    ])
  })

  test('each golden record becomes its golden row', async () => {
    const products = await Promise.all(goldenNames.map(goldenProduct))
    const publisher = await openPublisher(localCluster(...brokersOf(stack.config)))
    await Promise.all(products.map(product => publisher.publish(serialize(product))))
    await publisher.close()
    await waitForTable()
    for (const [place, name] of goldenNames.entries()) {
      const [row] = await select(`SELECT * FROM Products WHERE code = '${products[place]?.code}'`)
      await expect(goldenText(row)).toMatchFileSnapshot(goldenFile(name, 'row.json'))
    }
  })

  test('a query prints a table, JSON or CSV', async () => {
    const sql = `SELECT 1 AS one, 'a,"b' AS text, CAST(NULL AS STRING) AS nothing, 9007199254740993 AS big, 1.50 AS price, true AS yes, 2 AS one`
    const shown = []
    for (const form of [['--format', 'table'], ['--format', 'json'], ['--format', 'csv'], ['--json']])
      shown.push((await stack.run(['query', sql, ...form])).shown)
    expect(shown.join('\n\n')).toMatchInlineSnapshot(`
      "one  text  nothing  big  price  yes  one
      1  a,"b  null  9007199254740993  1.50  true  2
      exit 0

      [{"one":1,"text":"a,\\"b","nothing":null,"big":"9007199254740993","price":"1.50","yes":true,"one_2":2}]
      exit 0

      one,text,nothing,big,price,yes,one
      1,"a,""b",,9007199254740993,1.50,true,2
      exit 0

      {"version":1,"columns":[{"name":"one","type":"int"},{"name":"text","type":"string"},{"name":"nothing","type":"string"},{"name":"big","type":"bigint"},{"name":"price","type":"decimal"},{"name":"yes","type":"boolean"},{"name":"one","type":"int"}],"rows":[{"one":1,"text":"a,\\"b","nothing":null,"big":"9007199254740993","price":"1.50","yes":true,"one_2":2}]}
      exit 0"
    `)
  })

  test('an invalid statement is reported in one sentence', async () => {
    expect((await stack.run(['query', 'SELECT nope FROM Products'])).shown).toMatchInlineSnapshot(`
      "! ✖ [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with name \`nope\` cannot be resolved. Did you mean one of the following? [\`code\`, \`rev\`, \`url\`, \`as_of\`, \`lang\`]. SQLSTATE: 42703 [SQL_FAILED]
      ! → check the statement; the views are listed by \`offstream query "SHOW VIEWS"\`
      exit 12"
    `)
    expect((await stack.run(['query', 'SELCT 1'])).shown).toMatchInlineSnapshot(`
      "! ✖ [PARSE_SYNTAX_ERROR] Syntax error at or near 'SELCT'. SQLSTATE: 42601 (line 1, pos 0)
      !
      ! == SQL ==
      ! SELCT 1
      ! ^^^ [SQL_FAILED]
      ! → check the statement; the views are listed by \`offstream query "SHOW VIEWS"\`
      exit 12"
    `)
  })

  test('every chart is rendered', async () => {
    const folder = await mkdtemp(join(stack.directory, 'charts-'))
    const { stdout, exitCode } = await stack.run(['charts', '--output', folder])
    const files = (await readdir(folder)).toSorted()
    expect(exitCode).toBe(0)
    const sources = await readdir(join(root, 'charts'))
    expect(files).toEqual(
      sources
        .filter(file => file.endsWith('.sql'))
        .map(file => file.replace('.sql', '.svg'))
        .toSorted(),
    )
    expect(stdout.split('\n').toSorted()).toEqual(files.map(file => join(folder, file)))
    for (const file of files)
      expect(await readFile(join(folder, file), 'utf8')).toMatch(/^<svg.*<\/svg>\s*$/s)
  })

  test('a dry run prints records and publishes nothing', async () => {
    const before = await status()
    const { stdout, exitCode } = await stack.run([
      'scrape',
      '--url',
      site.address,
      '--limit',
      '5',
      '--dry-run',
    ])
    const codes = stdout.split('\n').map(line => Product.parse(JSON.parse(line)).code)
    const after = await status()
    expect([exitCode, codes.length, new Set(codes).size]).toEqual([0, 5, 5])
    expect([after.flow.fetched, after.flow.acknowledged]).toEqual([
      before.flow.fetched,
      before.flow.acknowledged,
    ])
  })

  test('Ctrl-C stops a scrape with a summary, and the published products are in the table', async () => {
    await using large = await startSite({ catalogue: generateCatalogue({ count: 300, seed: 2 }) })
    const before = await status()
    await using scrape = stack.start(['scrape', '--url', large.address])
    await until(
      async () => {
        const visited = large.requests.filter(({ path }) => path.startsWith('/produit/')).length
        if (visited < 5) throw new Error(`${visited} pages visited`)
      },
      { what: 'the first 5 product pages', timeoutMs: 60_000 },
    )
    scrape.signal('SIGINT')
    const { stderr, exitCode } = await scrape.result
    const published = Number(/^(\d+) products? published in/m.exec(stderr)?.[1])
    const after = await waitForTable()
    expect(exitCode).toBe(130)
    expect(after.flow.acknowledged).toBe(Number(before.flow.acknowledged) + published)
    expect(published).toBeLessThan(300)
    expect((await stack.processes()).filter(line => /chrom/i.test(line))).toEqual([])
  })

  test('services are unhealthy as long as they do not respond', async () => {
    const pids = (await status()).services.flatMap(({ pid }) => pid ?? [])
    for (const pid of pids) process.kill(pid, 'SIGSTOP')
    try {
      await until(
        async () => {
          const { exitCode, stdout } = await stack.run(['status', '--json'])
          const { state, services } = StatusContract.parse(JSON.parse(stdout))
          const unhealthy = services.flatMap(({ name, health }) => (health === 'unhealthy' ? [name] : []))
          expect([exitCode, state, unhealthy]).toEqual([4, 'degraded', pipelineServices(stack.config)])
        },
        { what: 'all services to be unhealthy', timeoutMs: 120_000 },
      )
    } finally {
      for (const pid of pids) process.kill(pid, 'SIGCONT')
    }
    await waitForTable()
  })

  test.skipIf(!existsSync(realCatalogue))(
    `1,000 real products arrive in the table with the values of the catalogue (needs ${realCatalogue})`,
    { timeout: 1_200_000 },
    async () => {
      const { products } = await readCatalogue(realCatalogue)
      const before = await status()
      await using siteCommand = stack.start(['site', '--catalogue', realCatalogue, '--port', '0'])
      const address = await until(
        async () => {
          const [found] = /http:\/\/\S+/.exec(siteCommand.stderr()) ?? []
          if (found === undefined) throw new Error(siteCommand.stderr())
          return found
        },
        { what: 'the site', timeoutMs: 30_000 },
      )

      await stack.succeed(['scrape', '--url', address])
      const first = await waitForTable()
      expect(await differences(products)).toEqual([
        // Its title is `Pepsi - 33cl` and its brand Pepsi. The page of a product without a name looks the same.
        ['0000886100252', 'product_name', 'Pepsi', null],
        // The catalogue has only kilojoules. The site converts them for its page.
        ['00000758', 'energy_kcal_100g', null, 34],
      ])
      // A part of the products proves the same and saves a minute.
      await stack.succeed(['scrape', '--url', address, '--limit', '100'])
      const second = await waitForTable()

      const more = [first, second].map(({ flow }) =>
        (['fetched', 'acknowledged', 'consumed', 'rows', 'visible', 'rejected'] as const).map(
          step => Number(flow[step]) - Number(before.flow[step]),
        ),
      )
      expect(more).toEqual([
        [1_000, 1_000, 1_000, 1_000, 1_000, 0],
        [1_100, 1_100, 1_100, 1_000, 1_000, 0],
      ])
    },
  )

  test('a dropped table is reported with the commands that refill it', async () => {
    const { flow } = await waitForTable()
    await stack.run(['query', 'DROP TABLE lake.off.products'])
    const refill = 'refill it from the topic with `offstream down`, `offstream reset --table`'
    const query = await stack.run(['query', 'SELECT count(*) FROM Products', '--json'])
    expect([query.exitCode, query.stdout]).toEqual([12, expect.stringContaining(refill)])
    expect(JSON.parse(query.stdout).error.code).toBe('TABLE_MISSING')
    // A start creates an empty table. The job does not read earlier messages again, so the table would lack them.
    for (const command of ['down', 'up']) expect((await stack.run([command])).exitCode).toBe(0)
    const submit = await stack.run(['submit', '--json'])
    expect([JSON.parse(submit.stdout.split('\n').at(-1) ?? '').error.code, submit.exitCode]).toEqual([
      'CHECKPOINT_DAMAGED',
      12,
    ])
    const { state, services } = await status()
    expect([state, services[5].health, services[5].detail]).toEqual([
      ...['degraded', 'unhealthy'],
      expect.stringContaining(refill),
    ])

    expect((await stack.run(['down'])).exitCode).toBe(0)
    const reset = await stack.json(['reset', '--table', '--yes'])
    expect(reset).toMatchObject({ kind: 'reset', choices: ['table'] })
    expect((await stack.run(['up'])).exitCode).toBe(0)
    expect((await status()).flow.visible).toBe(0)
    expect((await stack.run(['submit'])).exitCode).toBe(0)
    const { rows, visible } = (await waitForTable()).flow
    expect([rows, visible]).toEqual([flow.rows, flow.visible])
  })

  test('down leaves no process and no listener, and keeps the products', async () => {
    const rows = await select('SELECT count(*) AS n, count(DISTINCT code) AS codes FROM Products')
    const down = await stack.run(['down'])
    expect(await stack.listening()).toEqual([])
    // The daemon exits last, after its response to `down`.
    await stack.waitUntilGone(/./)
    expect(down.shown.split('\n').toSorted()).toEqual([
      '! All services are stopped; the data stays. Next: `offstream up`',
      '! ✔ kafka  stopped after <time>',
      '! ✔ products-stream stopped after <time>',
      '! ✔ spark-master  stopped after <time>',
      '! ✔ spark-worker  stopped after <time>',
      '! ✔ thrift  stopped after <time>',
      '! ✔ zookeeper  stopped after <time>',
      'exit 0',
    ])
    expect((await stack.run(['status'])).exitCode).toBe(3)
    expect((await stack.run(['down'])).shown).toBe('! Nothing was running. Next: `offstream up`\nexit 0')
    await stack.run(['up'])
    expect(await select('SELECT count(*) AS n, count(DISTINCT code) AS codes FROM Products')).toEqual(rows)
    expect(rows).toEqual([{ n: rows[0]?.['codes'], codes: rows[0]?.['codes'] }])
  })

  /** The differences between table and catalogue: code, column, the catalogue's value, the table's value. */
  const differences = async (products: readonly CatalogueProduct[]) => {
    const rows = await select(`SELECT code, ${comparedColumns.join(', ')} FROM Products`)
    const byCode = new Map(rows.map(row => [row['code'], row]))
    return products.flatMap(product => {
      const code = normaliseCode(product.code)
      const [expected, row] = [expectedRow(product), byCode.get(code)]
      return comparedColumns
        .filter(column => row?.[column] !== expected[column])
        .map(column => [code, column, expected[column], row?.[column]])
    })
  }
})

const nutriments = {
  energy_kcal_100g: 'energy-kcal',
  fat_100g: 'fat',
  saturated_fat_100g: 'saturated-fat',
  carbohydrates_100g: 'carbohydrates',
  sugars_100g: 'sugars',
  fiber_100g: 'fiber',
  proteins_100g: 'proteins',
  salt_100g: 'salt',
} as const

const comparedColumns = [
  'product_name',
  'nutriscore_grade',
  'nova_group',
  'environmental_score_grade',
  ...(Object.keys(nutriments) as (keyof typeof nutriments)[]),
] as const

/** The catalogue's values of a product, by the table's columns. */
const expectedRow = (
  product: CatalogueProduct,
): Record<(typeof comparedColumns)[number], string | number | null> => {
  const knownGrade = (grades: string, grade: string | null | undefined) =>
    grade && grades.includes(grade) ? grade : null
  const values = Object.entries(nutriments).map(([column, name]) => {
    const value = product.nutriments?.[`${name}_100g`]
    return [column, typeof value === 'number' ? value : null]
  })
  return {
    product_name: plainText(product.product_name),
    nutriscore_grade: knownGrade('abcde', product.nutriscore_grade),
    nova_group: product.nova_group == null ? null : Number(product.nova_group),
    environmental_score_grade:
      product.environmental_score_grade === 'a-plus'
        ? 'a-plus'
        : knownGrade('abcdef', product.environmental_score_grade),
    ...Object.fromEntries(values),
  }
}

/** A name as a browser shows it: entities are decoded, white space is collapsed. */
const plainText = (written: string | null | undefined): string | null =>
  (written ?? '')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#39;', "'")
    .replace(/\s+/g, ' ')
    .trim() || null
