import { expect, test } from 'vitest'
import { errorCodes } from '../errorCodes.ts'
import { runCommand } from '../testCommand.ts'

test('`explain` prints cause, exit status and remedy of a code', async () => {
  const { stdout } = await runCommand(['explain', 'STACK_BUSY'])
  expect(stdout).toBe(
    [
      'STACK_BUSY  exit status 13',
      '',
      'Another command is changing this stack.',
      '→ Try again when it has finished.',
      '',
    ].join('\n'),
  )
})

test('`explain` accepts a code in brackets and in lower case', async () => {
  const jsonOf = async (code: string) =>
    JSON.parse((await runCommand(['explain', code], { json: true })).stdout)
  const plain = await jsonOf('STACK_BUSY')
  const copied = await jsonOf('[STACK_BUSY]')
  const lower = await jsonOf('stack_busy')
  expect([copied, lower]).toEqual([plain, plain])
  expect(plain).toEqual({
    version: 1,
    kind: 'explain',
    code: 'STACK_BUSY',
    exitStatus: 13,
    outcome: 'locked',
    cause: 'Another command is changing this stack.',
    remedy: 'Try again when it has finished.',
  })
})

test('`explain` without a code lists all codes', async () => {
  const { stdout } = await runCommand(['explain'])
  const listed = stdout.split('\n').flatMap(line => /^[A-Z_]{4,}/.exec(line)?.[0] ?? [])
  expect(listed).toEqual([...errorCodes.keys()])
})

test('`explain` suggests the nearest code for an unknown one', async () => {
  await expect(runCommand(['explain', 'PORT_TOKEN'])).rejects.toMatchObject({
    code: 'CODE_UNKNOWN',
    message: '`PORT_TOKEN` is not an error code',
    hint: 'did you mean `offstream explain PORT_TAKEN`? `offstream explain` lists all codes',
  })
  await expect(runCommand(['explain', 'nope'])).rejects.toMatchObject({
    hint: '`offstream explain` lists all codes',
  })
})
