import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { findChromium, Product } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { goldenFile, goldenMoment, goldenNames, goldenText } from './golden.ts'
import { scratchStack } from './stack.ts'

/** A site of the golden pages: each at `/produit/<code>`, and at `/` a list of them. */
const serveGoldenPages = async () => {
  const pages = await Promise.all(goldenNames.map(name => readFile(goldenFile(name, 'page.html'), 'utf8')))
  const listed = goldenNames.map((_, place) => ({ code: `4000000${place}`, url: `/produit/4000000${place}` }))
  const list = `<!doctype html><ul class="products"></ul><script>var products = ${JSON.stringify(listed)}</script>`
  const server = createServer((request, response) => {
    const page = request.url === '/' ? list : pages[listed.findIndex(({ url }) => url === request.url)]
    response
      .writeHead(page === undefined ? 404 : 200, { 'content-type': 'text/html; charset=utf-8' })
      .end(page)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test.skipIf((await findChromium()) === null)(
  'each golden page becomes its golden record (needs Chromium)',
  async () => {
    await using stack = await scratchStack()
    await using site = await serveGoldenPages()
    const { stdout, exitCode } = await stack.run(['scrape', '--dry-run', '--url', site.address])
    const records = stdout.split('\n').map(line => Product.parse(JSON.parse(line)))

    for (const name of goldenNames) {
      const { code } = JSON.parse(await readFile(goldenFile(name, 'catalogue.json'), 'utf8'))
      const record = records.find(record => Number(record.code) === Number(code))
      const seen = record && { ...record, as_of: goldenMoment, observed_at: goldenMoment }
      await expect(goldenText(seen)).toMatchFileSnapshot(goldenFile(name, 'product.json'))
    }
    expect([records.length, exitCode]).toEqual([goldenNames.length, 0])
  },
)
