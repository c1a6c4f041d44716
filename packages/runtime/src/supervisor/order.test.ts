import { expect, test } from 'vitest'
import { runInOrder, startOrder, stopOrder } from './order.ts'

const house = [
  { name: 'roof', needs: ['walls', 'crane'] },
  { name: 'walls', needs: ['ground'] },
  { name: 'garden', needs: ['ground'] },
  { name: 'ground', needs: [] },
]

test('a service starts after what it needs; needs outside of the set do not count', () => {
  expect(Object.fromEntries(startOrder(house))).toEqual({
    roof: ['walls'],
    walls: ['ground'],
    garden: ['ground'],
    ground: [],
  })
})

test('a service stops after those that need it', () => {
  expect(Object.fromEntries(stopOrder(house))).toEqual({
    roof: [],
    walls: ['roof'],
    garden: [],
    ground: ['walls', 'garden'],
  })
})

test('each step runs once, after those before it, and side by side with the others', async () => {
  const log: string[] = []
  await runInOrder(startOrder(house), async name => {
    log.push(`start ${name}`)
    await Promise.resolve()
    log.push(`done ${name}`)
  })
  expect(log).toEqual([
    ...['start ground', 'done ground', 'start walls', 'start garden', 'done walls', 'done garden'],
    ...['start roof', 'done roof'],
  ])
})

test('a step after one that failed is not called and fails with the same error', async () => {
  const called: string[] = []
  const results = await runInOrder(startOrder(house), async name => {
    called.push(name)
    if (name === 'walls') throw new Error('no bricks')
  })
  expect(called.sort()).toEqual(['garden', 'ground', 'walls'])
  expect(results.map(result => (result.status === 'rejected' ? result.reason.message : 'done'))).toEqual([
    ...['no bricks', 'no bricks', 'done', 'done'],
  ])
})
