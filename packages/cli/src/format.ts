/** Numbers and text as people read them. Nothing here knows what they are about. */

/** `1.2 GB`, `45.6 MB`, `7 kB` from bytes. */
export const formatBytes = (count: number): string => {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} GB`
  return count >= 1e6 ? `${(count / 1e6).toFixed(count >= 1e8 ? 0 : 1)} MB` : `${Math.ceil(count / 1e3)} kB`
}

const timeUnits: readonly (readonly [seconds: number, unit: string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
]

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h` from milliseconds. */
export const formatDuration = (milliseconds: number): string => {
  // Round before comparing: otherwise 59.7 s is shown as 60 s and 999.7 ms as 1000 ms.
  if (Math.round(milliseconds) < 1_000) return `${Math.round(milliseconds)} ms`
  if (Math.round(milliseconds / 100) < 100) return `${(milliseconds / 1_000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds < 60) return `${seconds} s`
  const first = timeUnits.findIndex(([size]) => seconds >= size)
  const [firstSize = 1] = timeUnits[first] ?? []
  return timeUnits
    .slice(first, first + 2)
    .map(
      ([size, unit], place) => `${Math.floor((place === 0 ? seconds : seconds % firstSize) / size)} ${unit}`,
    )
    .join(' ')
}

const barWidth = 24

/** `━━━━━━──────`, filled in proportion to `done` of `total`. */
export const progressBar = (done: number, total: number): string => {
  const filled = total === 0 ? 0 : Math.round(Math.min(1, done / total) * barWidth)
  return '━'.repeat(filled) + '─'.repeat(barWidth - filled)
}

/** `1 product`, `2 products`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** Text from outside on one line, without control characters: a terminal would interpret them. */
export const printable = (text: string): string =>
  text.replace(/(?:\p{Cc}\[|\u009b)[\d;]*[A-Za-z]/gu, '').replace(/\p{Cc}+/gu, ' ')

/** The same for text of several lines. */
export const printableLines = (text: string): string => text.split(/\r?\n/).map(printable).join('\n')
