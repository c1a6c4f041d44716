import { readFile } from 'node:fs/promises'
import { startSite } from '@offstream/site'
import { expect, test } from 'vitest'
import { goldenFile, goldenHost, goldenNames } from './golden.ts'

test.each(goldenNames)('the site shows %s as its golden page', async name => {
  const product = JSON.parse(await readFile(goldenFile(name, 'catalogue.json'), 'utf8'))
  await using site = await startSite({ catalogue: { products: [] }, lang: product.lang })
  site.update(product)
  const page = await (await fetch(`${site.address}/product/${product.code}`)).text()
  const { host } = new URL(site.address)
  await expect(page.replaceAll(host, goldenHost)).toMatchFileSnapshot(goldenFile(name, 'page.html'))
})
