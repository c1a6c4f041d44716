import { readState, updateState } from '@offstream/runtime'
import { z } from 'zod'

/** How many entries a shell remembers. */
export const maxEntries = 1_000

const History = z.object({
  /** The oldest first. */
  entries: z.array(z.string()),
})

/** The entries of earlier shells, the newest first, as readline expects. */
export const readSqlHistory = async (file: string): Promise<string[]> =>
  [...((await readState(file, History))?.entries ?? [])].reverse()

/** Adds an entry; an equal earlier one is removed. The history is optional: if it cannot be written, it is not. */
export const addToSqlHistory = async (file: string, entry: string): Promise<void> => {
  await updateState(file, History, history => ({
    entries: [...(history?.entries ?? []).filter(one => one !== entry), entry].slice(-maxEntries),
  })).catch(() => undefined)
}

/**
 * The lines of a statement as entries: one line, since readline edits only one, or the lines themselves if a comment
 * reaches to the end of one of them.
 */
export const entriesOf = (lines: readonly string[]): readonly string[] =>
  lines.some(line => line.includes('--')) ? lines : [lines.map(line => line.trim()).join(' ')]
