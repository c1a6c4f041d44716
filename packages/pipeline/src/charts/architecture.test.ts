import { fileURLToPath } from 'node:url'
import { XmlDocument } from 'libxml2-wasm'
import { describe, expect, test } from 'vitest'
import { chartThemes, serviceNames, stations } from '../names.ts'
import { architectureDiagram } from './architecture.ts'
import { textWidth } from './textWidth.ts'

const folder = fileURLToPath(new URL('../../../../charts/', import.meta.url))
const files = { light: 'Streaming-Chart.svg', dark: 'Streaming-Chart-dark.svg' } as const

const textsIn = (svg: string) => {
  const document = XmlDocument.fromString(svg)
  try {
    return document.find('//svg:text', { svg: 'http://www.w3.org/2000/svg' }).map(({ content }) => content)
  } finally {
    document.dispose()
  }
}

describe.each(chartThemes)('the %s diagram', theme => {
  // `npm run charts` runs this test with `--update`, which writes the files.
  test('of the repository is drawn from the description of the stations', async () => {
    await expect(architectureDiagram(theme)).toMatchFileSnapshot(`${folder}${files[theme]}`)
  })

  test('names every service of the pipeline, and every count of `status`', () => {
    expect(textsIn(architectureDiagram(theme))).toEqual(
      expect.arrayContaining([
        // The dashboard is not part of the pipeline, and one broker and one worker are enough.
        ...serviceNames.filter(name => name !== 'dashboard' && !/-[23]$/.test(name)),
        ...stations.map(({ count }) => count),
      ]),
    )
  })
})

test('every text fits into its box or between two boxes', () => {
  const wide = textsIn(architectureDiagram('light')).filter(one => textWidth(one, 13, false) > 210)
  expect(wide).toEqual([])
})
