import type { IncomingMessage } from 'node:http'
import { createGunzip, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CatalogueProduct } from './catalogue.ts'
import { faultRule } from './faultPlan.ts'
import { type FaultName, faults } from './faults.ts'
import { generateCatalogue } from './generate.ts'
import { type Site, startSite } from './site.ts'
import { get, open, type TestResponse } from './testClient.ts'

const tea: CatalogueProduct = {
  code: '2100000000005',
  product_name: 'Thé glacé',
  brands: 'Orvelune',
  quantity: '1 l',
  nutriscore_grade: 'c',
  nutriments: { sugars_100g: 6 },
}
const path = '/produit/2100000000005/the-glace-orvelune'

let site: Site
let respond: TestResponse
beforeAll(async () => {
  site = await startSite({ catalogue: { products: [tea, ...generateCatalogue({ count: 20 }).products] } })
  respond = await get(site, path)
})
afterAll(() => site[Symbol.asyncDispose]())

/** The outcome of each fault. The type requires an entry for every fault. */
const outcomes: Readonly<Record<FaultName, (address: string) => Promise<void>>> = {
  'too-many-requests': async address => {
    const { status, headers } = await get(site, address)
    expect([status, headers['retry-after']]).toEqual([429, undefined])
  },
  'retry-after': async address => {
    const { status, headers } = await get(site, address)
    expect([status, headers['retry-after']]).toEqual([429, '2'])
  },
  unavailable: async address => expect((await get(site, address)).status).toBe(503),
  'bad-gateway': async address => {
    expect(await get(site, address)).toMatchObject({
      status: 502,
      body: expect.stringContaining('<h1>Maintenance</h1>'),
    })
  },
  'server-error': async address => expect(await get(site, address)).toMatchObject({ status: 500, body: '' }),
  'stop-crawling': async address => {
    expect(await get(site, address)).toMatchObject({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: expect.stringContaining('requests are overloading the Open Food Facts server'),
    })
  },
  noindex: async address => {
    expect(await get(site, address)).toMatchObject({
      status: 200,
      body: expect.stringContaining('<h1>NOINDEX</h1>'),
    })
  },
  maintenance: async address => {
    expect(await get(site, address)).toMatchObject({
      status: 200,
      body: expect.stringContaining('temporarily unavailable'),
    })
  },
  login: async address => {
    const { status, body } = await get(site, address)
    expect([status, body.includes('type="password"'), body.includes('id="barcode"')]).toEqual([
      200,
      true,
      false,
    ])
  },
  hang: async address => {
    const abort = new AbortController()
    const answered = fetch(site.address + address, { signal: abort.signal })
    await arrived(site, address)
    // A later request is answered first.
    await get(site, '/')
    expect(site.requests.find(each => each.path === address)?.status).toBe(null)
    abort.abort()
    await expect(answered).rejects.toThrow('aborted')
  },
  closed: async address => expect(get(site, address)).rejects.toThrow('socket hang up'),
  'cut-off': async address => {
    const response = await open(site, address)
    expect([response.statusCode, Number(response.headers['content-length'])]).toEqual([
      200,
      respond.bytes.length,
    ])
    const received: Buffer[] = []
    await expect(
      (async () => {
        for await (const chunk of response) received.push(chunk)
      })(),
    ).rejects.toThrow('aborted')
    expect(
      respond.bytes.subarray(0, Math.floor(respond.bytes.length / 2)).equals(Buffer.concat(received)),
    ).toBe(true)
  },
  drip: async address => {
    const response = await open(site, address)
    expect(await first(response, 3)).toEqual(['<', '!', 'd'])
  },
  huge: async address => {
    const before = process.memoryUsage().rss
    let received = 0
    for await (const chunk of await open(site, address)) received += chunk.length
    expect(received).toBe(2 ** 30)
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28)
  },
  'gzip-bomb': async address => {
    const response = await open(site, address)
    expect([response.headers['content-encoding'], response.headers['content-type']]).toEqual([
      'gzip',
      'text/html; charset=utf-8',
    ])
    const unpacking = response.pipe(createGunzip())
    let [packed, unpacked] = [0, 0]
    response.on('data', chunk => {
      packed += chunk.length
    })
    for await (const chunk of unpacking) {
      unpacked += chunk.length
      if (unpacked > 2 ** 26) break
    }
    response.destroy()
    expect(unpacked / packed).toBeGreaterThan(500)
  },
  'redirect-loop': async address => {
    expect(await get(site, address)).toMatchObject({ status: 302, location: address })
    await expect(fetch(site.address + address)).rejects.toMatchObject({
      cause: { message: 'redirect count exceeded' },
    })
  },
  'redirect-private': async address => {
    expect(await get(site, address)).toMatchObject({
      status: 302,
      location: 'http://169.254.169.254/latest/meta-data/',
    })
  },
  'wrong-charset': async address => {
    const { type, body, bytes } = await get(site, address)
    expect(type).toBe('text/html; charset=utf-8')
    expect(body).toContain('<h1 class="title-3" property="food:name" itemprop="name">Th\ufffd glac\ufffd - ')
    expect(bytes.toString('latin1')).toContain('Thé glacé - ')
  },
  'malformed-html': async address => {
    const { status, body } = await get(site, address)
    expect([status, respond.body.length > body.length]).toEqual([200, true])
    expect(body).toMatch(/<h2 [^>]*>Thé glacé[^<]*<\/h1>/)
    expect(body).toMatch(/<[^>]*$/)
  },
  'missing-fields': async address => {
    const { body } = await get(site, address)
    expect(body).toContain('id="barcode" property="food:code" itemprop="gtin13">2100000000005<')
    expect(body).toContain('id="field_brands_value"')
    for (const part of ['field_quantity', 'grade_c', '6 g'])
      expect([respond.body.includes(part), body.includes(part)]).toEqual([true, false])
  },
  'other-layout': async address => {
    const { status, body } = await get(site, address)
    expect([status, body.includes('>Thé glacé - Orvelune')]).toEqual([200, true])
    for (const part of [' id="', ' class="', 'property="food:name"']) expect(body).not.toContain(part)
    expect((await get(site, '/?fault=other-layout')).body).not.toContain('var products')
    const { body: json } = await get(site, '/api/v2/product/2100000000005?fault=other-layout')
    expect(JSON.parse(json)).toMatchObject({ data: { status: 1 } })
  },
}

const arrived = async (at: Site, address: string): Promise<void> => {
  while (!at.requests.some(each => each.path === address)) await get(at, '/favicon.ico')
}

/** The first chunks of a response, whose connection is then closed. */
const first = async (response: IncomingMessage, count: number): Promise<readonly string[]> => {
  const received: string[] = []
  for await (const chunk of response) {
    received.push(String(chunk))
    if (received.length === count) break
  }
  return received
}

describe('`?fault=` in an address', () => {
  test.each(Object.entries(outcomes))(
    '%s',
    async (name, meets) => {
      await meets(`${path}?fault=${name}`)
    },
    60_000,
  )

  test('an unknown fault is rejected', async () => {
    expect(await get(site, '/?fault=constructor')).toMatchObject({
      status: 400,
      body: 'Fault `constructor` does not exist\n',
    })
  })

  test('other addresses work normally', async () => {
    expect((await get(site, path)).body).toBe(respond.body)
  })
})

test('every fault has a description', () => {
  const said = Object.values(faults).map(({ description }) => description)
  expect(said.filter(each => each.length < 10)).toEqual([])
  expect(new Set(said).size).toBe(said.length)
})

test('a rule is the name of a fault, optionally with a path', () => {
  expect(['drip', 'unavailable=/search?a=b*'].map(faultRule)).toEqual([
    { path: '*', fault: 'drip' },
    { path: '/search?a=b*', fault: 'unavailable' },
  ])
  expect(() => faultRule('constructor')).toThrow(expect.objectContaining({ code: 'FAULT_UNKNOWN' }))
})

describe('fault rules', () => {
  const statuses = async (at: Site, paths: readonly string[]) => {
    const all: number[] = []
    for (const each of paths) all.push((await get(at, each)).status)
    return all
  }
  const catalogue = { products: [tea] }

  test('match paths with query, and the first rule that applies is used', async () => {
    await using faulty = await startSite({
      catalogue,
      faults: [
        { path: '/produit/*', fault: 'unavailable', count: 2 },
        { path: '*terms=(a*', fault: 'server-error' },
        { path: '/pro*', fault: 'too-many-requests', count: 1 },
      ],
    })
    const paths = [path, '/', path, path, path, '/search?search_terms=(a)', '/search?search_terms=b']
    expect(await statuses(faulty, paths)).toEqual([503, 200, 503, 429, 200, 500, 200])
  })

  test('with a probability affect the same requests in each run', async () => {
    const struck = async () => {
      await using faulty = await startSite({
        catalogue,
        faults: [{ path: '*', fault: 'unavailable', probability: 0.3, seed: 7 }],
      })
      return await statuses(
        faulty,
        Array.from({ length: 100 }, () => '/'),
      )
    }
    const [one, other] = [await struck(), await struck()]
    const count = one.filter(status => status === 503).length
    expect(other).toEqual(one)
    expect([count > 15, count < 45]).toEqual([true, true])
  })

  test('can be changed while the site runs', async () => {
    await using faulty = await startSite({ catalogue, faults: [{ path: '/', fault: 'unavailable' }] })
    const before = await statuses(faulty, ['/'])
    faulty.inject([{ path: path, fault: 'noindex' }])
    const during = await statuses(faulty, ['/', path])
    const isBlocked = (await get(faulty, path)).body.includes('NOINDEX')
    faulty.inject([])
    expect([before, during, isBlocked, await statuses(faulty, [path])]).toEqual([
      [503],
      [200, 200],
      true,
      [200],
    ])
  })

  test('with an unknown fault are rejected', async () => {
    const rule = JSON.parse('{"path":"*","fault":"rain"}')
    await expect(startSite({ catalogue, faults: [rule] })).rejects.toMatchObject({
      code: 'FAULT_UNKNOWN',
      outcome: 'usage',
      hint: expect.stringContaining('too-many-requests, retry-after'),
    })
  })

  test('apply to exports and the API too', async () => {
    await using faulty = await startSite({
      catalogue,
      faults: [
        { path: '/data/*', fault: 'cut-off', count: 1 },
        { path: '/api/*', fault: 'missing-fields' },
      ],
    })
    await expect(get(faulty, '/data/openfoodfacts-products.jsonl.gz')).rejects.toThrow('aborted')
    const { bytes } = await get(faulty, '/data/openfoodfacts-products.jsonl.gz')
    expect(JSON.parse(gunzipSync(bytes).toString('utf8'))).toMatchObject(tea)
    const { body } = await get(faulty, '/api/v3/product/2100000000005')
    expect(JSON.parse(body).product).toEqual({
      _id: tea.code,
      code: tea.code,
      product_name: 'Thé glacé',
      brands: 'Orvelune',
    })
  })
})

test('the site closes despite clients of hanging, slow and huge responses', async () => {
  const held = await startSite({ catalogue: { products: [tea] } })
  const responses = await Promise.all(
    ['drip', 'huge', 'gzip-bomb'].map(name => open(held, `/?fault=${name}`)),
  )
  const ends = responses.map(
    response =>
      new Promise(resolve =>
        response
          .once('close', resolve)
          .once('error', () => undefined)
          .resume(),
      ),
  )
  const hanging = expect(get(held, '/?fault=hang')).rejects.toThrow('socket hang up')
  await arrived(held, '/?fault=hang')
  await held[Symbol.asyncDispose]()
  await Promise.all([hanging, ...ends])
})
