import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { directoriesOf, stateFolder } from '@offstream/pipeline'
import { until } from '@offstream/runtime'
import type { ScratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'

// biome-ignore lint/suspicious/noExplicitAny: each command prints its own structure, and the tests check it
export type Printed = Record<string, any>

/** The calls that tests of the stream and its table repeat. `stack` must be running. */
export const streamOf = (stack: ScratchStack) => {
  const directories = directoriesOf(stateFolder(stack.directory, null))
  const json = async (...args: string[]) => (await stack.json(args)) as Printed
  const stream = async () => {
    const { state, services } = StatusContract.parse(await json('status'))
    const job = services.find(({ name }) => name === 'products-stream')
    if (job === undefined) throw new Error('`status` does not list the job')
    return { overall: state, ...job }
  }
  const untilFailed = () =>
    until(
      async () => {
        const found = await stream()
        if (found.state !== 'failed') throw new Error(`it is ${found.state}: ${found.detail}`)
        return found
      },
      { what: 'the stream to fail', timeoutMs: 180_000 },
    )
  return {
    directories,
    /** The last object that a command prints. */
    json,
    /** The code and the exit status of a command that fails. */
    failure: async (...args: string[]): Promise<readonly [string, number]> => {
      const { stdout, exitCode } = await stack.run([...args, '--json'])
      return [JSON.parse(stdout.split('\n').at(-1) ?? '').error?.code, exitCode ?? -1]
    },
    /** The state of the stack and the stream. */
    stream,
    /** Waits until the stream has failed and will not be restarted. */
    untilFailed,
    /** Damages the checkpoint of the running stream and kills the stream, so that its restart fails. */
    stop: async () => {
      await damage(await lastOffsets(directories.checkpoint), '')
      const { pid, state, detail } = await stream()
      // A signal to pid 0 would kill the process group of the test itself.
      if (pid === null || pid === undefined)
        throw new Error(`the stream has no pid: it is ${state}: ${detail}`)
      process.kill(pid, 'SIGKILL')
      return untilFailed()
    },
    publish: async (...codes: string[]) => {
      await stack.succeed(['topic', 'produce'], { input: codes.map(product).join('\n') })
    },
    /** The codes in the table. */
    codes: async (): Promise<string[]> =>
      (await json('query', 'SELECT code FROM Products ORDER BY code'))['rows'].map(
        ({ code }: Printed) => code,
      ),
  }
}

/** Replaces the content of a file, or deletes it. Hadoop keeps a checksum file next to it. */
export const damage = async (file: string, content: string | null): Promise<void> => {
  await rm(file.replace(/([^/]+)$/, '.$1.crc'), { force: true })
  if (content === null) await rm(file)
  else await writeFile(file, content)
}

/** The file of the last batch in a checkpoint. */
const lastOffsets = async (checkpoint: string): Promise<string> => {
  const folder = join(checkpoint, 'offsets')
  const numbers = (await readdir(folder)).filter(name => /^\d+$/.test(name)).map(Number)
  return join(folder, String(Math.max(...numbers)))
}

const product = (code: string): string => {
  const now = new Date().toISOString()
  return JSON.stringify({ code, labels: 'Organic', as_of: now, observed_at: now, source: 'stdin' })
}
