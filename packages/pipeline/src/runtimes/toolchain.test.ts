import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findJava, findPython, newestJava, oldestJava, oldestPython } from './toolchain.ts'

/** A folder for JAVA_HOME, whose Java reports this. */
const javaHome = async (output: string): Promise<string> => {
  const home = await mkdtemp(join(tmpdir(), 'offstream-java-'))
  onTestFinished(() => rm(home, { recursive: true }))
  await mkdir(join(home, 'bin'))
  const java = join(home, 'bin', 'java')
  await writeFile(java, `#!/bin/sh\necho '${output}' >&2\n`)
  await chmod(java, 0o755)
  return home
}

test.each([
  ['openjdk version "17.0.15" 2025-04-15', '17.0.15'],
  ['java version "21" 2023-09-19 LTS', '21'],
])('a JAVA_HOME that reports %s is used', async (output, version) => {
  const home = await javaHome(output)
  expect(await findJava({ JAVA_HOME: home })).toEqual({ path: join(home, 'bin', 'java'), version })
})

test.each([
  ['openjdk version "11.0.2" 2019-01-15', 'which is Java 11.0.2'],
  ['java version "1.8.0_402"', 'which is Java 1.8.0_402'],
  ['openjdk version "25" 2025-09-16', 'which is Java 25'],
  ['no such thing', 'which does not contain a working Java'],
])('if JAVA_HOME reports %s, the Java in the PATH is used', async (output, reason) => {
  const home = await javaHome(output)
  const java = await findJava({ PATH: process.env['PATH'], JAVA_HOME: home })
  const major = Number(java.version.split('.')[0])
  expect([major >= oldestJava, major <= newestJava]).toEqual([true, true])
  expect(java).toEqual({
    // Not `java`: a script of that name runs another Java in another folder.
    path: expect.stringMatching(/^\/.+\/bin\/java$/),
    version: java.version,
    ignored: `JAVA_HOME is \`${home}\`, ${reason}`,
  })
})

test('a Java that is too new is used if no other is found', async () => {
  const home = await javaHome('openjdk version "25" 2025-09-16')
  expect(await findJava({ JAVA_HOME: home })).toEqual({ path: join(home, 'bin', 'java'), version: '25' })
})

test('the message shows why no Java can be used', async () => {
  await expect(findJava({ JAVA_HOME: '/nonexistent' })).rejects.toMatchObject({
    code: 'JAVA_MISSING',
    message:
      'Java 17 or newer was not found; JAVA_HOME is `/nonexistent`, which does not contain a working Java',
  })
})

test('Java options of the shell do not change which Java is found', async () => {
  const { PATH } = process.env
  const broken = { JAVA_TOOL_OPTIONS: '-agentpath:/nonexistent', _JAVA_OPTIONS: '-Xmx1k' }
  expect(await findJava({ PATH, ...broken })).toEqual(await findJava({ PATH }))
})

test('the Python that is found is one that Spark runs with, whatever the shell sets for Python', async () => {
  const { PATH } = process.env
  const python = await findPython({ PATH, PYTHONHOME: '/nonexistent', PYTHONPATH: '/nonexistent' })
  const [major = 0, minor = 0] = python.version.split('.').map(Number)
  expect([major, minor >= oldestPython[1]]).toEqual([oldestPython[0], true])
  expect(python.path).toMatch(/^\//)
})
