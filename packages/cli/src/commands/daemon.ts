import { notifyLauncher, type ServiceEvent } from '@offstream/runtime'
import { messageOf } from '@offstream/runtime/errors'
import type { DefineCommand } from '../command.ts'
import type { Context } from '../context.ts'
import { ownDaemon } from '../daemon.ts'
import { lineOf } from '../serviceProgress.ts'

const levels: Partial<Record<ServiceEvent['kind'], string>> = {
  gaveUp: 'ERROR',
  fell: 'WARN',
  unrecorded: 'WARN',
}

const define: DefineCommand = (command, context) =>
  command.action(async () => {
    const made = context()
    try {
      await keep(made)
    } catch (error) {
      // A log that can't be written tells nobody why it never began.
      await notifyLauncher(error)
      throw error
    }
  })

const keep = async ({ output, signal, force, anyProject }: Context): Promise<void> => {
  const { state } = await anyProject()
  // A full disk takes no log. Without a listener that would end the daemon, and nobody would care for the services.
  process.stderr.on('error', () => undefined)
  // The form of the services' own logs, so that `offstream logs` reads this one too.
  const log = (level: string, text: string): void =>
    output.note(`${new Date().toISOString()} ${level.padEnd(5)} daemon: ${text}`)
  const daemon = await ownDaemon(state, {
    signal,
    force,
    onEvent: event => {
      log(levels[event.kind] ?? 'INFO', lineOf(event) ?? `${event.service} is ${event.kind}`)
    },
    onLogProblem: (file, error) => log('WARN', `\`${file}\` can't be kept small: ${messageOf(error)}`),
  })
  await daemon.start()
  await notifyLauncher()
  await daemon.ended()
}

export default define
