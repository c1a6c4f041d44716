import { join } from 'node:path'
import { type Snapshot, topicName } from '@offstream/pipeline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { waitForTable } from './pipeline.ts'
import { type ScratchStack, scratchStack } from './stack.ts'
import { damage, streamOf } from './stream.ts'

/** The tests share one stack and depend on their order, because a start per test takes too long. */
describe('the table and the checkpoint', () => {
  let stack: ScratchStack
  let calls: ReturnType<typeof streamOf>
  beforeAll(async () => {
    stack = await scratchStack()
    calls = streamOf(stack)
    for (const command of ['up', 'submit']) await stack.succeed([command])
  })
  afterAll(() => stack?.[Symbol.asyncDispose]())
  const json = (...args: string[]) => calls.json(...args)

  test('`table` shows rows, files and snapshots, and the newest snapshot has the offsets of the topic', async () => {
    await calls.publish('72000001', '72000002')
    await stack.succeed(['topic', 'produce', '--raw'], { input: '{"key":"no product","value":"x"}' })
    await waitForTable(stack, 'rows=2', 'rejected=1')

    const { tables } = await json('table')
    expect(tables).toMatchObject([
      { name: 'lake.off.products', rows: 2, deleteFiles: 0, lastCommitAt: expect.any(String) },
      { name: 'lake.off.rejected', rows: 1, dataFiles: 1 },
    ])
    const { snapshots } = await json('table', 'history', '--limit', '1')
    expect(snapshots).toMatchObject([{ isCurrent: true, offsets: { [topicName]: { 0: 3 } } }])
    const shown = await stack.succeed(['table', 'history', '--limit', '1'])
    expect(shown.stdout).toContain(`${snapshots[0].id}`)
  })

  test('`table optimize` makes the running stream rewrite its files', async () => {
    for (const code of ['72000003', '72000004']) {
      await calls.publish(code)
      await waitForTable(stack, `visible>=${Number(code) - 72_000_000}`)
    }
    const { by, after } = await json('table', 'optimize')
    expect([by, after]).toMatchObject(['stream', [{ rows: 4, dataFiles: 1, deleteFiles: 0 }, { rows: 1 }]])
    await calls.publish('72000005')
    await waitForTable(stack, 'rows=5')
  })

  test('`repair` and `table rollback` fail while the stream is running', async () => {
    expect(await calls.failure('repair')).toEqual(['STREAM_RUNNING', 13])
    expect(await calls.failure('table', 'rollback', '--to', '1', '--yes')).toEqual(['STREAM_RUNNING', 13])
  })

  test('a checkpoint with an empty file stops the stream, and `repair` rebuilds it from the table', async () => {
    const failed = await calls.stop()
    expect([failed.overall, failed.restarts]).toEqual(['degraded', 1])
    expect(failed.detail).toMatch(
      /`offsets\/\d+` in the checkpoint .* is empty \[CHECKPOINT_DAMAGED\]; rebuild it/,
    )
    expect(await calls.failure('submit')).toEqual(['CHECKPOINT_DAMAGED', 12])

    const inTable = { [topicName]: { 0: 6 } }
    expect(await json('repair', '--dry-run')).toMatchObject({ dryRun: true, inTable, checkpoint: null })
    expect(await calls.failure('submit')).toEqual(['CHECKPOINT_DAMAGED', 12])
    expect(await json('repair')).toMatchObject({ dryRun: false, inTable, checkpoint: inTable })
    await stack.succeed(['submit'])
    await calls.publish('72000006')
    await waitForTable(stack, 'rows=6')
  })

  const damages: readonly (readonly [what: string, file: string, content: string | null])[] = [
    ['truncated offsets', 'offsets/0', 'v1\n{"batchWaterm'],
    ['missing offsets', 'offsets/0', null],
    ['offsets of another topic', 'offsets/0', 'v1\n{}\n{"others":{"0":1}}'],
  ]
  test('every other damage of the checkpoint is reported too', async () => {
    await calls.stop()
    for (const [what, file, content] of damages) {
      await stack.succeed(['repair'])
      await damage(join(calls.directories.checkpoint, file), content)
      expect([what, ...(await calls.failure('submit'))]).toEqual([what, 'CHECKPOINT_DAMAGED', 12])
    }
    await stack.succeed(['repair'])
  })

  test('`table rollback` undoes a statement and rewinds the stream', async () => {
    const [before] = (await json('table', 'history'))['snapshots'] as Snapshot[]
    const all = await calls.codes()
    await stack.succeed(['query', "DELETE FROM lake.off.products WHERE code < '72000005'"])
    expect(await calls.codes()).not.toEqual(all)
    const to = ['table', 'rollback', '--to', before?.id ?? '']

    expect(await calls.failure('table', 'rollback', '--to', '1', '--yes')).toEqual(['SNAPSHOT_UNKNOWN', 2])
    expect(await calls.failure(...to)).toEqual(['CONFIRMATION_REQUIRED', 2])
    expect(await json(...to, '--dry-run')).toMatchObject({ dryRun: true, inTable: before?.offsets })
    expect(await json(...to, '--yes')).toMatchObject({
      ...{ dryRun: false, snapshot: before?.id, undone: [expect.any(String)] },
      ...{ inTable: before?.offsets, checkpoint: before?.offsets },
    })
    expect(await calls.codes()).toEqual(all)
  })

  test('`table optimize` uses the Thrift server if the stream is stopped', async () => {
    const { by, after } = await json('table', 'optimize')
    expect([by, after]).toMatchObject(['thrift', [{ rows: 6, dataFiles: 1, deleteFiles: 0 }, { rows: 1 }]])
  })

  test('after a rollback and a repair the stream continues', async () => {
    await stack.succeed(['submit'])
    await calls.publish('72000007')
    await waitForTable(stack, 'rows=7')
  })
})
