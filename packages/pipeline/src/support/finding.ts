/** The result of one check. `warning`: it works, but may fail later. */
export interface Finding {
  readonly name: string
  readonly verdict: 'ok' | 'warning' | 'problem'
  /** What was found. */
  readonly found: string
  /** The fix; null if the verdict is `ok`. */
  readonly hint: string | null
}
