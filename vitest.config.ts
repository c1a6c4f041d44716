import { defineConfig } from 'vitest/config'

// Workspace packages resolve to their sources ("source" condition), so a test never sees a stale build;
// packages/e2e alone drives the built command.
const resolve = { conditions: ['source', 'node', 'default'] }
const ssr = { resolve }

export default defineConfig({
  test: {
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
