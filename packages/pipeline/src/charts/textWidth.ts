/**
 * Widths of the characters from the space to `~` in thousandths of the font size: DejaVu Sans, which Linux shows where
 * Helvetica and Arial are missing. It is wider than both and than Inter, and about as wide as Verdana.
 */
const regular = [
  ...[318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337, 636, 636, 636, 636],
  ...[636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531, 1000, 684, 686, 698, 770, 632, 575, 775],
  ...[752, 295, 295, 656, 557, 863, 748, 787, 603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390],
  ...[337, 390, 838, 500, 500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612],
  ...[635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838],
]
/** A bold character is at most this much wider than the regular one: `f` of DejaVu Sans. */
const boldFactor = 1.24
/** Of letters beyond ASCII: wider than `é` and `–`, as wide as `…`. */
const otherWidth = 1000

/** The width of a line of text in pixels, in the widest common font, so that text is never cut off. */
export const textWidth = (text: string, fontSize: number, isBold: boolean): number =>
  ([...text].reduce((sum, one) => sum + (regular[one.charCodeAt(0) - 32] ?? otherWidth), 0) *
    fontSize *
    (isBold ? boldFactor : 1)) /
  1000
