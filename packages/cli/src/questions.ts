import { createInterface } from 'node:readline/promises'
import type { Context } from './context.ts'

/**
 * Whether there is a person to ask: a terminal on both sides, and no program that reads JSON. It need not be one that
 * can be drawn on.
 */
export const canAsk = ({ output }: Pick<Context, 'output'>): boolean =>
  output.mode !== 'json' && process.stdin.isTTY && process.stderr.isTTY && !process.env['CI']

/**
 * Asks on the terminal; what is answered to Enter alone, and to Ctrl-D, is empty.
 * @throws the reason of `signal`, also after Ctrl-C
 */
export const ask = async (question: string, signal: AbortSignal): Promise<string> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // readline takes Ctrl-C for itself; the process has to hear of it.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const closed = new Promise<string>(resolve => lines.once('close', () => resolve('')))
  try {
    return (await Promise.race([lines.question(question, { signal }), closed])).trim()
  } finally {
    lines.close()
  }
}

/** Asks a question to be answered with yes or no; anything that does not begin with `n` is yes. */
export const agrees = async (question: string, signal: AbortSignal): Promise<boolean> =>
  !/^n/i.test(await ask(`${question} [Y/n] `, signal))
