import { notifyLauncher, type ServiceEvent } from '@offstream/runtime'
import { messageOf } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { daemonInProcess } from '../daemon.ts'
import { serviceEventText } from '../serviceProgress.ts'

const levels: Partial<Record<ServiceEvent['kind'], string>> = {
  failed: 'ERROR',
  crashed: 'WARN',
  recordFailed: 'WARN',
}

const define: DefineCommand = (command, context) =>
  command.action(async () => {
    const made = context()
    try {
      await run(made)
    } catch (error) {
      // Also the launcher prints the error: the log may not be writable.
      await notifyLauncher(error)
      throw error
    }
  })

const run = async ({ output, signal, force, anyProject }: Context): Promise<void> => {
  const { state } = await anyProject()
  // The log format of the services, which `offstream logs` parses.
  const log = (level: string, text: string): void =>
    output.note(`${new Date().toISOString()} ${level.padEnd(5)} daemon: ${text}`)
  const daemon = await daemonInProcess(state, {
    signal,
    force,
    onEvent: event => {
      log(levels[event.kind] ?? 'INFO', serviceEventText(event) ?? `${event.service} is ${event.kind}`)
    },
    onLogProblem: (file, error) => log('WARN', `cannot rotate \`${file}\`: ${messageOf(error)}`),
  })
  await daemon.start()
  await notifyLauncher()
  await daemon.stopped()
}

export default define
