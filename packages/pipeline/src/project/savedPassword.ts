import { rm } from 'node:fs/promises'
import { readState, writeState } from '@offstream/runtime'
import { z } from 'zod'
import type { PasswordSection } from '../credentials.ts'

/** For the daemon, the services and the dashboard, which do not get the user's environment. */
const Saved = z.object({ password: z.string() })

/** The password that `savePassword` has saved; null if none. */
export const savedPassword = async (file: string): Promise<string | null> =>
  (await readState(file, Saved))?.password ?? null

/**
 * Saves the password in a file that only this user can read, if it is in the environment.
 * @param find the password, also from an earlier command; null if none is needed
 */
export const savePassword = async (
  file: string,
  { passwordVariable, passwordFile }: PasswordSection,
  environment: Readonly<Record<string, string | undefined>>,
  find: () => Promise<string | null>,
): Promise<void> => {
  if (!environment[passwordVariable] && passwordFile !== null) await rm(file, { force: true })
  const password = await find()
  if (password !== null && environment[passwordVariable])
    await writeState(file, { password } satisfies z.infer<typeof Saved>)
}
