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
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'real',
          include: ['packages/*/src/**/*.real.test.ts'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          // Real services on a small machine: one file at a time, deadlines belong to the code under test.
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
