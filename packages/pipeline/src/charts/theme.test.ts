import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { chartThemes } from '../names.ts'
import { listCharts } from './charts.ts'
import { configOf, palettes } from './theme.ts'

/** The contrast of two colours by WCAG 2.2: 1 to 21. */
const contrast = (one: string, other: string): number => {
  const [light = 1, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map(at => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

describe.each(chartThemes)('in the %s theme', theme => {
  const { paper, ink, muted, accent, second, scale } = palettes[theme]

  test('text is readable, even on a heat map', () => {
    for (const background of [paper, ...scale]) expect(contrast(ink, background)).toBeGreaterThan(4.5)
    expect(contrast(muted, paper)).toBeGreaterThan(4.5)
  })

  test('marks and the outlines of official colours are visible', () => {
    for (const colour of [accent, second, ink]) expect(contrast(colour, paper)).toBeGreaterThan(3)
    expect(configOf(theme).style?.['score']).toMatchObject({ stroke: ink })
  })
})

test('values on an official colour are readable', async () => {
  const charts = await listCharts(fileURLToPath(new URL('../../../../charts', import.meta.url)))
  const colours = charts.flatMap(({ spec }) => JSON.stringify(spec).match(/"range":\["#[^\]]+\]/g) ?? [])
  const official = new Set(colours.join().match(/#[\da-f]{6}/g))
  expect(official.size).toBe(17)
  for (const colour of official)
    expect([colour, Math.max(contrast('#000000', colour), contrast('#ffffff', colour)) > 4.5]).toEqual([
      colour,
      true,
    ])
})
