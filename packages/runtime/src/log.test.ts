import { appendFile, mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { endOfLog, LogReader, lastLines, linesBefore } from './log.ts'
import { rotateLog } from './rotate.ts'

const scratch = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-log-'))
  return {
    file: join(directory, 'bees.log'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Rotates whatever is in the log. */
const cutOff = async (file: string, keep = 9) =>
  rotateLog(file, { maxBytes: (await stat(file)).size - 1, keep })

const forward = async (reader: LogReader) => {
  const lines = []
  for await (const some of reader.read()) lines.push(...some)
  return lines
}

const backward = async (file: string, place: number) => {
  const lines = []
  for await (const some of linesBefore(file, place)) lines.push(...some)
  return lines
}

const texts = async (reader: LogReader) => (await forward(reader)).map(({ text }) => text)

/** The same pseudo-random numbers each time, 0 to 1 (Lehmer's generator). */
const dice = (seed: number) => () => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

test('the last lines of a log are found without reading all of it', async () => {
  await using log = await scratch()
  await writeFile(log.file, '')
  // More than a buffer can hold, and nearly all of it a hole that takes no disk.
  await truncate(log.file, 8 * 1024 ** 3)
  await appendFile(log.file, '\nthe first bee\nthe second bee\nthe third bee\n')
  expect(await lastLines(log.file, 3)).toEqual(['the first bee', 'the second bee', 'the third bee'])
})

test('a log that does not exist has no lines', async () => {
  await using log = await scratch()
  expect(await lastLines(log.file, 3)).toEqual([])
  expect(await texts(new LogReader(log.file, 0))).toEqual([])
})

test('the last lines reach back into older pieces', async () => {
  await using log = await scratch()
  await writeFile(log.file, 'one\ntwo\nthr')
  await cutOff(log.file)
  await appendFile(log.file, 'ee\nfour')
  expect(await lastLines(log.file, 3)).toEqual(['two', 'three', 'four'])
})

test('the last lines can be those since a certain place', async () => {
  await using log = await scratch()
  await writeFile(log.file, 'one\ntwo\n')
  const since = await endOfLog(log.file)
  expect(await lastLines(log.file, 3, since)).toEqual([])
  await appendFile(log.file, 'three\n')
  await cutOff(log.file)
  await appendFile(log.file, 'four\n')
  expect(await lastLines(log.file, 3, since)).toEqual(['three', 'four'])
  expect(await lastLines(log.file, 1, since)).toEqual(['four'])
})

test('from both ends, a rotated log has the same lines at the same positions', async () => {
  await using log = await scratch()
  const random = dice(7)
  const words = ['', 'bee', 'été 🐝', 'x'.repeat(70), 'y'.repeat(40_000)]
  let written = ''
  for (let piece = 0; piece < 6; piece++) {
    let more = ''
    for (let n = 0; n < 12; n++)
      more += `${n} ${words[Math.floor(random() * words.length)]}${random() < 0.7 ? '\n' : ' '}`
    written += more
    await appendFile(log.file, more)
    await cutOff(log.file)
  }
  written += 'the end\n'
  await appendFile(log.file, 'the end\n')
  let place = 0
  const expected = written
    .split('\n')
    .slice(0, -1)
    .map(text => {
      const begins = place
      place += Buffer.byteLength(text) + 1
      return { text, begins }
    })
  expect(await forward(new LogReader(log.file, 0))).toEqual(expected)
  expect((await backward(log.file, await endOfLog(log.file))).reverse()).toEqual(expected)
  const middle = expected[20]?.begins ?? 0
  expect(await forward(new LogReader(log.file, middle))).toEqual(expected.slice(20))
  expect((await backward(log.file, middle)).reverse()).toEqual(expected.slice(0, 20))
})

test('a huge line is cut, with the number of missing bytes', async () => {
  await using log = await scratch()
  await writeFile(log.file, `before\n${'z'.repeat(5_000_000)}\r\nafter\n`)
  const expected = ['before', `${'z'.repeat(65_536)} … ${5_000_001 - 65_536} more bytes`, 'after']
  expect(await texts(new LogReader(log.file, 0))).toEqual(expected)
  expect(await lastLines(log.file, 3)).toEqual(expected)
})

test('a reader continues through rotations and misses nothing that was written before one', async () => {
  await using log = await scratch()
  const reader = new LogReader(log.file, 0)
  expect(await texts(reader)).toEqual([])
  await appendFile(log.file, 'one\ntwo\nth')
  expect(await texts(reader)).toEqual(['one', 'two'])
  await appendFile(log.file, 'ree\nfour\n')
  await cutOff(log.file)
  await appendFile(log.file, 'five, longer than all before\n')
  await cutOff(log.file)
  await appendFile(log.file, 'six')
  expect(await texts(reader)).toEqual(['three', 'four', 'five, longer than all before'])
  expect(reader.rest()?.text).toBe('six')
  expect(reader.rest()).toBe(null)
})

test('a reader that is behind continues with the oldest piece that exists', async () => {
  await using log = await scratch()
  const reader = new LogReader(log.file, 0)
  for (const line of ['one, gone\n', 'two, gone\n', 'three\n', 'four\n']) {
    await appendFile(log.file, line)
    await cutOff(log.file, 1)
  }
  await appendFile(log.file, 'five\n')
  expect(await texts(reader)).toEqual(['four', 'five'])
})

test('a log that a user emptied is read from its new beginning', async () => {
  await using log = await scratch()
  await writeFile(log.file, 'one\ntwo, unfinis')
  const reader = new LogReader(log.file, 0)
  expect(await texts(reader)).toEqual(['one'])
  await writeFile(log.file, 'three\n')
  expect(await texts(reader)).toEqual(['three'])
})

test('only newlines end lines, and a carriage return before one is not part of the line', async () => {
  await using log = await scratch()
  const handle = await open(log.file, 'a')
  await handle.writeFile('\n\r\na\rb\r\n\n')
  await handle.close()
  expect(await texts(new LogReader(log.file, 0))).toEqual(['', '', 'a\rb', ''])
  expect(await lastLines(log.file, 9)).toEqual(['', 'a\rb', ''])
})
