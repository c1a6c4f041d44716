import { expect, test } from 'vitest'
import { messagesOf } from './frames.ts'

const framed = (text: string): Buffer => {
  const head = Buffer.alloc(4)
  head.writeInt32BE(Buffer.byteLength(text))
  return Buffer.concat([head, Buffer.from(text)])
}

const sent = ['first', '', 'a second one that is longer', 'x'.repeat(300)]

test.each([1, 2, 3, 5, 7, 64, 10_000])('messages arrive whole from chunks of %i bytes', size => {
  const bytes = Buffer.concat(sent.map(framed))
  const received: string[] = []
  const receive = messagesOf(message => received.push(message.toString()))
  for (let start = 0; start < bytes.length; start += size) receive(bytes.subarray(start, start + size))
  expect(received).toEqual(sent)
})
