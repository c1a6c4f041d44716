import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { root } from './repository.ts'
import { type ScratchStack, scratchStack } from './stack.ts'

const command = join(root, 'packages/cli/bin/offstream.js')
const text = await readFile(join(root, 'docs/tutorial.md'), 'utf8')
const lessons = text.split(/^## (?=\d)/m).slice(1)

let stack: ScratchStack
beforeAll(async () => {
  stack = await scratchStack()
})
afterAll(() => stack[Symbol.asyncDispose]())

/** Runs a block as a user would paste it into bash, with `npx offstream` as the built command. */
const paste = (block: string) =>
  execa(
    'bash',
    [
      '--norc',
      '-euo',
      'pipefail',
      '-c',
      `npx() { shift; ${JSON.stringify(process.execPath)} ${JSON.stringify(command)} "$@"; }\n${block}`,
    ],
    {
      ...{ cwd: stack.directory, all: true, reject: false },
      env: { NO_COLOR: '1' },
    },
  )

describe('the tutorial', () => {
  test('has five lessons, each with a question and its answer', () => {
    const parts = lessons.map(lesson => lesson.match(/^\*\*(?:Question|Answer)\.\*\*/gm))
    expect(parts).toEqual(Array(5).fill(['**Question.**', '**Answer.**']))
  })

  test.each(lessons.map(lesson => [lesson.split('\n')[0] ?? '', lesson] as const))(
    'lesson %s: every command succeeds',
    async (_title, lesson) => {
      for (const [, block = ''] of lesson.matchAll(/^```sh\n([\s\S]*?)^```$/gm)) {
        const { exitCode, all } = await paste(block)
        expect({ block, exitCode, all: exitCode === 0 ? '' : all }).toEqual({ block, exitCode: 0, all: '' })
      }
    },
  )
})
