/** Words and figures as people read them; nothing here knows what they are about. */

/** `1.2 GB`, `45.6 MB`, `7 kB` from bytes. */
export const bytes = (count: number): string => {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} GB`
  return count >= 1e6 ? `${(count / 1e6).toFixed(count >= 1e8 ? 0 : 1)} MB` : `${Math.ceil(count / 1e3)} kB`
}

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h` from milliseconds. */
export const duration = (milliseconds: number): string => {
  // Rounded before it is compared, or 59.7 s would be told as 60 s and 999.7 ms as 1000 ms.
  if (Math.round(milliseconds) < 1_000) return `${Math.round(milliseconds)} ms`
  if (Math.round(milliseconds / 100) < 100) return `${(milliseconds / 1_000).toFixed(1)} s`
  const seconds = Math.round(milliseconds / 1_000)
  if (seconds < 60) return `${seconds} s`
  const units: readonly [number, string][] = [
    [86_400, 'd'],
    [3_600, 'h'],
    [60, 'min'],
    [1, 's'],
  ]
  const first = units.findIndex(([size]) => seconds >= size)
  return units
    .slice(first, first + 2)
    .map(
      ([size, unit], place) =>
        `${Math.floor((place === 0 ? seconds : seconds % (units[first]?.[0] ?? 1)) / size)} ${unit}`,
    )
    .join(' ')
}

const barWidth = 24

/** `━━━━━━──────`, as full as `done` of `total`. */
export const bar = (done: number, total: number): string => {
  const filled = total === 0 ? 0 : Math.round(Math.min(1, done / total) * barWidth)
  return '━'.repeat(filled) + '─'.repeat(barWidth - filled)
}

/** `1 product`, `2 products`. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** Text from elsewhere, fit for one line of a terminal: its control characters could move the cursor or worse. */
export const printable = (text: string): string =>
  text.replace(/\p{Cc}\[[\d;]*[A-Za-z]/gu, '').replace(/\p{Cc}+/gu, ' ')

/** The same for text of several lines. */
export const printableLines = (text: string): string => text.split(/\r?\n/).map(printable).join('\n')
