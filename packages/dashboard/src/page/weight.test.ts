import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'
import { expect, test } from 'vitest'

test('the page has at most 200 kB, compressed', async () => {
  const build = await rolldown({ input: join(import.meta.dirname, 'main.tsx'), platform: 'browser' })
  const { output } = await build.generate({ minify: true })
  await build.close()
  const styles = join(import.meta.dirname, 'style')
  const css = [
    createRequire(import.meta.url).resolve('uplot/dist/uPlot.min.css'),
    ...readdirSync(styles).map(name => join(styles, name)),
  ].map(file => readFileSync(file, 'utf8'))
  const code = output.map(file => (file.type === 'chunk' ? file.code : ''))

  expect(output.length).toBe(1)
  expect(gzipSync([...code, ...css].join('\n')).length).toBeLessThan(200_000)
  // Its only addresses are its own, XML namespaces, and links that the user follows.
  expect(code.join('').match(/https?:\/\/(?!www\.w3\.org)[^"'`\s]*/g)).toBeNull()
})
