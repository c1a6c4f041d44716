import { pause } from '@offstream/runtime'
import { expect, test } from 'vitest'
import { Once } from './once.ts'

test('work is done once per version, however many viewers request it', async () => {
  let [version, done] = [1, 0]
  const once = new Once(() => version)
  const work = async () => ++done
  const results = await Promise.all(Array.from({ length: 10 }, () => once.get('a', work)))
  expect([new Set(results).size, done, await once.get('b', work)]).toEqual([1, 1, 2])
  version = 2
  expect(await once.get('a', work)).toBe(3)
})

test('only one piece of work runs at a time', async () => {
  const once = new Once(() => 1)
  let [running, most] = [0, 0]
  const work = async () => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setImmediate(resolve))
    running -= 1
  }
  await Promise.all(['a', 'b', 'c'].map(key => once.get(key, work)))
  expect(most).toBe(1)
})

test('failed work is repeated, and does not stop other work', async () => {
  const once = new Once(() => 1)
  let calls = 0
  const work = async () => {
    calls += 1
    if (calls === 1) throw new Error('not now')
    return calls
  }
  await expect(once.get('a', work)).rejects.toThrow('not now')
  expect([await once.get('a', work), await once.get('b', async () => 'b')]).toEqual([2, 'b'])
})

test('work that is repeated for each version rests; new work does not wait', async () => {
  let version = 1
  const once = new Once(() => version, 0)
  const order: string[] = []
  const work = (name: string) => async () => {
    order.push(`${name} ${version}`)
    await pause(50)
  }
  await once.get('a', work('a'))
  version = 2
  await once.get('a', work('a'))
  version = 3
  const repeated = once.get('a', work('a'))
  await once.get('b', work('b'))
  await repeated
  expect(order).toEqual(['a 1', 'a 2', 'b 3', 'a 3'])
})

test('repeated work that waits serves all who request it, for the version of its start', async () => {
  let version = 1
  const once = new Once(() => version, 0)
  const order: string[] = []
  const work = (name: string) => async () => {
    order.push(`${name} ${version}`)
    await pause(20)
    return version
  }
  await Promise.all(['a', 'b', 'c'].map(name => once.get(name, work(name))))
  version = 2
  const second = ['a', 'b', 'c'].map(name => once.get(name, work(name)))
  await second[0]
  version = 3
  const third = ['b', 'c'].map(name => once.get(name, work(name)))
  expect(await Promise.all([...second, ...third])).toEqual([2, 3, 3, 3, 3])
  expect(order).toEqual(['a 1', 'b 1', 'c 1', 'a 2', 'b 3', 'c 3'])
})
