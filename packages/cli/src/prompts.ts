import { createInterface } from 'node:readline/promises'
import type { Context } from './context.ts'

/** Whether a user can answer: standard input and error are terminals, it is not CI, and the output is not JSON. */
export const canPrompt = ({ output }: Pick<Context, 'output'>): boolean =>
  output.mode !== 'json' && process.stdin.isTTY && process.stderr.isTTY && !process.env['CI']

/**
 * Prompts on the terminal. The answer is empty after Enter alone and after Ctrl-D.
 * @throws the reason of `signal`, also after Ctrl-C
 */
export const prompt = async (question: string, signal: AbortSignal): Promise<string> => {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // readline catches Ctrl-C; without this the process would not receive the signal.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const closed = new Promise<string>(resolve => lines.once('close', () => resolve('')))
  try {
    return (await Promise.race([lines.question(question, { signal }), closed])).trim()
  } finally {
    lines.close()
  }
}

/** Prompts for yes or no. Every answer that does not start with `n` means yes. */
export const confirm = async (question: string, signal: AbortSignal): Promise<boolean> =>
  !/^n/i.test(await prompt(`${question} [Y/n] `, signal))

/**
 * Prompts for a confirmation of what deletes or changes data. Every other answer means no.
 * @param question such as `Delete this permanently?`
 * @returns whether the answer is `y` or `yes`
 */
export const confirmLoss = async (question: string, signal: AbortSignal): Promise<boolean> =>
  /^y(es)?$/i.test(await prompt(`${question} [y/N] `, signal))
