import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Workspace packages resolve to their sources ("source" condition), so a test never sees a stale build;
// packages/e2e alone drives the built command.
const resolve = { conditions: ['source', 'node', 'default'] }
const ssr = { resolve }

/** Files that take minutes, the longest first: begun last, they would run alone at the end. */
const longest = ['life', 'commands', 'kill', 'resume'].map(name => `packages/e2e/src/${name}.real.test.ts`)

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) =>
      (longest.findIndex(file => moduleId.endsWith(file)) + longest.length + 1) % (longest.length + 1)
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other))
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'fast',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: ['**/*.real.test.ts', '**/node_modules/**', '**/dist/**'],
          // A process for each file costs as much again as the tests. By default a machine of two cores has one worker.
          isolate: false,
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'real',
          include: ['packages/*/src/**/*.real.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          // Real services on a small machine wait more than they work: two files at a time, each with a stack of its own.
          // Deadlines belong to the code under test.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
