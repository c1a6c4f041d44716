import { open } from 'node:fs/promises'

/** Enough for the longest stack trace that says something, little enough to read at once. */
const tailBytes = 64 * 1024

/** The last `count` lines of a text file, oldest first; none where there is no such file. */
export const lastLines = async (file: string, count: number): Promise<string[]> => {
  const handle = await open(file, 'r').catch(() => null)
  if (handle === null) return []
  try {
    const { size } = await handle.stat()
    const length = Math.min(size, tailBytes)
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length)
    const lines = buffer.toString('utf8').split('\n')
    if (lines.at(-1) === '') lines.pop()
    if (length < size) lines.shift()
    return lines.slice(-count)
  } finally {
    await handle.close()
  }
}
