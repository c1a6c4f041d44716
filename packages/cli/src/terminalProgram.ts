import type { ServiceCommand } from '@offstream/runtime'
import { execa } from 'execa'

/**
 * Runs a program in this terminal until it exits. Ctrl-C reaches both processes: it is for the program, which may
 * continue, so this process ignores it meanwhile.
 */
export const runInTerminal = async (
  { file, args, env, cwd }: ServiceCommand,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number | null }> => {
  const listeners = process.listeners('SIGINT')
  const ignore = () => undefined
  process.removeAllListeners('SIGINT').on('SIGINT', ignore)
  try {
    const { exitCode } = await execa(file, [...args], {
      ...{ env, extendEnv: false, cwd, stdio: 'inherit', reject: false, cancelSignal: signal },
    })
    return { exitCode: exitCode ?? null }
  } finally {
    process.off('SIGINT', ignore)
    for (const listener of listeners) process.on('SIGINT', listener)
  }
}
