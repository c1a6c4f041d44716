import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fileErrorOf, OffstreamError, RuntimeError } from './errors.ts'

const systemError = (code: string, rest: object = {}): Error =>
  Object.assign(new Error(code), { code, ...rest })

test.each([
  ['ENOSPC', 'write', undefined, 'DISK_FULL', 'prerequisite', 'The disk is full'],
  ['EDQUOT', 'mkdir', '/a', 'DISK_FULL', 'prerequisite', 'The disk is full: `/a` cannot be written'],
  ['EACCES', 'mkdir', '/a', 'FOLDER_UNWRITABLE', 'refused', '`/a` cannot be used: permission denied'],
  ['EROFS', 'open', '/a', 'FOLDER_UNWRITABLE', 'refused', '`/a` cannot be used: the disk is read-only'],
])(
  '%s of %s on a file of offstream is an error for the user, not a bug',
  (code, syscall, path, expected, outcome, message) => {
    expect(fileErrorOf(systemError(code, { syscall, path }))).toMatchObject({
      code: expected,
      outcome,
      message,
    })
  },
)

test.each([
  ['a bug', new TypeError('bees is not iterable')],
  ['a file that is not there', systemError('ENOENT', { path: '/a' })],
  [
    'a port that only the administrator may take',
    systemError('EACCES', { syscall: 'listen', address: '127.0.0.1' }),
  ],
  ['a program that may not be run', systemError('EACCES', { syscall: 'spawn /a', path: '/a' })],
  [
    'an error for the user',
    new OffstreamError('BEES_AWAY', 'away', { outcome: 'failed', hint: 'call them' }),
  ],
])('%s is not taken for it', (_, error) => {
  expect(fileErrorOf(error)).toBeNull()
})

test.each([
  // Of `process.cwd()`, and of execa.
  systemError('ENOENT', { syscall: 'uv_cwd' }),
  new Error('The current directory does not exist.\nENOENT: no such file or directory, uv_cwd'),
])('a current folder that was deleted is an error, not a bug', error => {
  expect(fileErrorOf(error)).toMatchObject({
    ...{ code: 'CURRENT_FOLDER_MISSING', outcome: 'usage', message: 'The current folder was deleted' },
  })
})

test('a folder for temporary files that does not exist is an error that names TMPDIR, not a bug', async () => {
  const error = await mkdtemp('/nowhere/offstream-').catch(error => error)
  expect(fileErrorOf(error)).toMatchObject({
    ...{ code: 'TMPDIR_MISSING', outcome: 'prerequisite' },
    message: 'The folder for temporary files does not exist: `/nowhere` (TMPDIR)',
  })
})

const run = promisify(execFile)

test.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
  'a full disk is reported as such (needs the permission to mount one)',
  async () => {
    const disk = await mkdtemp(join(tmpdir(), 'offstream-disk-'))
    const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', disk]).then(
      () => true,
      () => false,
    )
    try {
      if (!mounted) return
      const error = await writeFile(join(disk, 'file'), 'x'.repeat(10_000)).catch(error => error)
      expect(fileErrorOf(error)).toMatchObject({ code: 'DISK_FULL' })
    } finally {
      if (mounted) await run('umount', [disk])
      await rm(disk, { recursive: true })
    }
  },
)

test('without a hint, an error has the remedy of its code as a phrase', () => {
  expect(new RuntimeError('STACK_BUSY', 'busy').hint).toBe('try again when it has finished')
  expect(new RuntimeError('CHECKSUM_MISMATCH', 'differs').hint).toMatch(/^download it again .*\. If .*\.$/)
  expect(new RuntimeError('STACK_BUSY', 'busy', { hint: 'wait' }).hint).toBe('wait')
})
