import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { waitForTable } from './pipeline.ts'
import { root } from './repository.ts'
import { type RunOptions, type ScratchStack, scratchStack } from './stack.ts'

type Env = NonNullable<RunOptions['env']>

/** A project with `profiles/<name>.yaml`, in which each `{{…}}` is replaced, and these settings. Nothing runs yet. */
export const profileStack = async (
  name: string,
  values: Readonly<Record<string, string>> = {},
  settings: readonly string[] = [],
): Promise<ScratchStack> => {
  const text = await readFile(join(root, 'packages/e2e/profiles', `${name}.yaml`), 'utf8')
  return scratchStack(
    settings,
    text.replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole),
  )
}

const codes = Array.from({ length: 40 }, (_, index) => String(10_000_000 + index))

/** Products that differ only in their codes and names, with a version each. */
const lines = codes
  .flatMap(code => [
    {
      code,
      product_name: `Tea ${code}`,
      brands: 'A',
      nutriments: { fat_100g: 1 },
      last_modified_t: 1_760_000_000,
    },
    {
      code,
      product_name: `Tea ${code}`,
      brands: 'B',
      nutriments: { fat_100g: 2 },
      last_modified_t: 1_760_000_001,
    },
  ])
  .map(product => JSON.stringify(product))

/**
 * Runs the whole pipeline once: up, submit, scrape, healthy and without lag.
 * @param env the environment of `up` only: later commands must know the secrets
 * @returns the rows that SQL clients see, without the time of the scrape
 */
export const runPipeline = async (stack: ScratchStack, env: Env = {}): Promise<unknown> => {
  await stack.succeed(['up'], { env })
  await stack.succeed(['submit'])
  await stack.succeed(['scrape', '--source', 'stdin'], { input: lines.join('\n') })
  await waitForTable(stack, `rows=${codes.length}`, 'rejected=0')
  const { stdout } = await stack.succeed([
    ...['query', 'SELECT * EXCEPT (observed_at) FROM Products ORDER BY code', '--format', 'json'],
  ])
  return JSON.parse(stdout)
}
