import { type Catalogue, type Site, startSite } from '@offstream/site'
import { type RunningCommand, type ScratchStack, scratchStack } from './stack.ts'
import { StatusContract } from './statusContract.ts'

/** A site, a stack, and the calls that tests of the whole pipeline repeat. Disposal closes both. */
export interface Pipeline extends AsyncDisposable {
  readonly site: Site
  readonly stack: ScratchStack
  readonly status: () => Promise<StatusContract>
  /** The rows of an SQL statement. */
  readonly query: (sql: string) => Promise<Record<string, unknown>[]>
  /** Scrapes the site and throws unless the scrape succeeds. */
  readonly scrape: (...options: readonly string[]) => Promise<void>
  /** Starts a scrape of the site in the background. */
  readonly startScrape: (...options: readonly string[]) => RunningCommand
  /** Waits as `waitForTable` does. */
  readonly waitForTable: (...conditions: readonly string[]) => Promise<StatusContract>
}

/** Starts the site and creates the project of a stack, of which nothing runs yet. */
export const createPipeline = async (catalogue: Catalogue): Promise<Pipeline> => {
  const site = await startSite({ catalogue })
  const stack = await scratchStack()
  const scrapeArgs = (options: readonly string[]) => ['scrape', '--url', site.address, ...options]
  return {
    site,
    stack,
    status: async () => StatusContract.parse(await stack.json(['status'])),
    query: async sql => JSON.parse((await stack.succeed(['query', sql, '--format', 'json'])).stdout),
    scrape: async (...options) => {
      await stack.succeed(scrapeArgs(options))
    },
    startScrape: (...options) => stack.start(scrapeArgs(options)),
    waitForTable: (...conditions) => waitForTable(stack, ...conditions),
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]()
      await stack[Symbol.asyncDispose]()
    },
  }
}

/** Same as `createPipeline`, with all services and the job running. */
export const startPipeline = async (catalogue: Catalogue): Promise<Pipeline> => {
  const pipeline = await createPipeline(catalogue)
  try {
    for (const command of ['up', 'submit']) await pipeline.stack.succeed([command])
    return pipeline
  } catch (error) {
    await pipeline[Symbol.asyncDispose]()
    throw error
  }
}

/**
 * Waits until everything is healthy, the table contains every message of the topic, and all `conditions` are met.
 * @returns the status that meets them
 */
export const waitForTable = async (
  stack: ScratchStack,
  ...conditions: readonly string[]
): Promise<StatusContract> => {
  const all = ['healthy', 'lag=0', ...conditions].flatMap(condition => ['--for', condition])
  const { stdout } = await stack.succeed(['wait', ...all, '--timeout', '4m', '--json'])
  return StatusContract.parse(JSON.parse(stdout.split('\n').at(-1) ?? '').status)
}
