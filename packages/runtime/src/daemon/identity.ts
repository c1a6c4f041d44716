import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readState, writeState } from '../artifacts/stateFile.ts'
import { identify, isAlive } from '../processes.ts'

const Identity = z.object({ pid: z.int(), startId: z.string() })

const fileIn = (directory: string): string => join(directory, 'daemon.json')

/** Writes down which process is the daemon of a folder. A full disk does not keep it from running. */
export const recordDaemon = async (directory: string): Promise<void> => {
  const own = await identify(process.pid)
  if (own !== null) await writeState(fileIn(directory), own).catch(() => undefined)
}

/** Deletes what `recordDaemon` wrote. */
export const forgetDaemon = (directory: string): Promise<void> =>
  rm(fileIn(directory), { force: true }).catch(() => undefined)

/** The pid of the running daemon of a folder; null if it is not known. */
export const daemonPid = async (directory: string): Promise<number | null> => {
  const identity = await readState(fileIn(directory), Identity)
  return identity !== null && (await isAlive(identity)) ? identity.pid : null
}
