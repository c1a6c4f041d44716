import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Workspace packages resolve to their sources ("source" condition), so a test never uses a stale build. Only packages/e2e
// runs the built command.
const resolve = { conditions: ['source', 'node', 'default'] }
const ssr = { resolve }

/** Files that take minutes, in order of duration. They start first, otherwise they would run alone at the end. */
const slowFiles = ['life', 'commands', 'kill', 'resume'].map(name => `packages/e2e/src/${name}.real.test.ts`)

class SlowFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      (slowFiles.findIndex(file => moduleId.endsWith(file)) + slowFiles.length + 1) % (slowFiles.length + 1)
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: SlowFilesFirst },
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'fast',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: [
            '**/*.real.test.ts',
            '**/*.long.test.ts',
            '**/*.fuzz.test.ts',
            '**/*.connect.test.ts',
            '**/*.clusters.test.ts',
            '**/node_modules/**',
            '**/dist/**',
          ],
          // A process per file would double the duration. By default, a machine with two cores has one worker.
          isolate: false,
          maxWorkers: 2,
          // A busy machine makes the property tests slow, and no test measures its own duration.
          testTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'fuzz',
          include: ['packages/*/src/**/*.fuzz.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 1_800_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'real',
          include: ['packages/*/src/**/*.real.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          // Real services mostly wait, so two files run in parallel, each with its own stack. The code under test has its own
          // timeouts.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'long',
          include: ['packages/e2e/src/*.long.test.ts'],
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'clusters',
          include: ['packages/e2e/src/*.clusters.test.ts'],
          maxWorkers: 1,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'connect',
          include: ['packages/e2e/src/*.connect.test.ts'],
          // The first run installs the clients with pip.
          testTimeout: 300_000,
          hookTimeout: 900_000,
        },
      },
    ],
  },
})
