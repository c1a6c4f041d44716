import { cp, readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assetPath, productColumns } from '@offstream/pipeline'
import { expect, test } from 'vitest'
import { waitForTable } from './pipeline.ts'
import { scratchStack } from './stack.ts'

const now = new Date().toISOString()
const product = JSON.stringify({
  ...Object.fromEntries(productColumns.map(name => [name, null])),
  ...{ code: '3017624010701', product_name: 'Pâte à tartiner', brands: 'x' },
  ...{ as_of: now, observed_at: now, source: 'stdin' },
})

test('a project with its own programs works in a folder with an unusual name, and writes nowhere else', async () => {
  await using stack = await scratchStack()
  const parent = dirname(dirname(stack.directory))
  for (const folder of ['config', 'spark-jobs'] as const) {
    const own = join(stack.directory, folder)
    await cp(assetPath(stack.directory, folder), own, {
      recursive: true,
      filter: path => !/\.(yaml|venv|pytest_cache|ruff_cache)$|tests|__pycache__/.test(path),
    })
  }
  for (const command of [['up'], ['submit'], ['topic', 'produce']])
    expect(await stack.run(command, { input: `${product}\n` })).toMatchObject({ exitCode: 0 })
  await waitForTable(stack, 'visible=1')
  const { stdout } = await stack.run(['query', 'SELECT product_name FROM Products', '--format', 'csv'])
  expect(stdout).toBe('product_name\nPâte à tartiner')
  expect(await readdir(parent)).toEqual([dirname(stack.directory).slice(parent.length + 1)])
  expect((await readdir(dirname(stack.directory))).sort()).toEqual(['project', 'tmp'])
  expect((await readdir(stack.directory)).sort()).toEqual([
    '.offstream',
    'config',
    'offstream.yaml',
    'spark-jobs',
  ])
})
