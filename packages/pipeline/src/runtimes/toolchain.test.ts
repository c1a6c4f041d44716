import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findJava, findPython, oldestJava, oldestPython } from './toolchain.ts'

/** A folder as JAVA_HOME, whose Java tells this of itself. */
const javaHome = async (told: string): Promise<string> => {
  const home = await mkdtemp(join(tmpdir(), 'offstream-java-'))
  onTestFinished(() => rm(home, { recursive: true }))
  await mkdir(join(home, 'bin'))
  const java = join(home, 'bin', 'java')
  await writeFile(java, `#!/bin/sh\necho '${told}' >&2\n`)
  await chmod(java, 0o755)
  return home
}

test.each([
  ['openjdk version "17.0.15" 2025-04-15', '17.0.15'],
  ['java version "21" 2023-09-19 LTS', '21'],
])('a JAVA_HOME that says %s is taken', async (told, version) => {
  const home = await javaHome(told)
  expect(await findJava({ JAVA_HOME: home })).toEqual({ path: join(home, 'bin', 'java'), version })
})

test.each(['openjdk version "11.0.2" 2019-01-15', 'java version "1.8.0_402"', 'no such thing'])(
  'a JAVA_HOME that says %s is passed over for the Java of the path',
  async told => {
    const { path, version } = await findJava({ JAVA_HOME: await javaHome(told) })
    expect(path).toBe('java')
    expect(Number(version.split('.')[0])).toBeGreaterThanOrEqual(oldestJava)
  },
)

test('the Python that is found is one that Spark runs with', async () => {
  const { version } = await findPython()
  const [major = 0, minor = 0] = version.split('.').map(Number)
  expect([major, minor >= oldestPython[1]]).toEqual([oldestPython[0], true])
})
