import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { replaceCheckpoint, writtenOffsets } from './checkpoint.ts'

const scratch = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'offstream-checkpoint-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

const position = { offsets: { 'products-events': { 0: 41, 1: 7 } }, topicId: 'a-topic' }

test('a new checkpoint has one completed batch that ends at the offsets', async () => {
  const checkpoint = join(await scratch(), 'products')
  await replaceCheckpoint(checkpoint, position)
  const lines = async (file: string) => (await readFile(join(checkpoint, file), 'utf8')).split('\n')
  expect(JSON.parse((await lines('metadata'))[0] ?? '')).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  expect(await lines('offsets/0')).toEqual([
    'v1',
    expect.stringContaining('"batchWatermarkMs":0'),
    '{"products-events":{"0":41,"1":7}}',
  ])
  expect(await lines('commits/0')).toEqual(['v1', '{"nextBatchWatermarkMs":0}'])
  expect(JSON.parse((await lines('offstream.json'))[0] ?? '')).toEqual({
    ...{ version: 1, topicId: 'a-topic', tableId: null },
  })
  expect(await writtenOffsets(checkpoint)).toEqual(position.offsets)
})

test('the previous checkpoint is moved aside, and only the last one is kept', async () => {
  const folder = await scratch()
  const checkpoint = join(folder, 'products')
  await mkdir(checkpoint)
  await writeFile(join(checkpoint, 'metadata'), 'damaged')
  await replaceCheckpoint(checkpoint, position)
  expect(await readFile(join(`${checkpoint}.replaced`, 'metadata'), 'utf8')).toBe('damaged')
  await replaceCheckpoint(checkpoint, null)
  expect(await readdir(folder)).toEqual(['products', 'products.replaced'])
  expect(await writtenOffsets(`${checkpoint}.replaced`)).toEqual(position.offsets)
  expect(await writtenOffsets(checkpoint)).toEqual({})
})
