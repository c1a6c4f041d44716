import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { shippedPath } from '../project/assets.ts'
import { cacheDirectory, ensureSpark } from './distributions.ts'

const scratchFolder = async (...files: readonly string[]): Promise<string> => {
  const directory = await mkdtemp(join(tmpdir(), 'offstream-home-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const file of files) {
    await mkdir(join(directory, file, '..'), { recursive: true })
    await writeFile(join(directory, file), '')
  }
  return directory
}

const ivySettings = shippedPath('config', 'ivysettings.xml')

test('the cache is in OFFSTREAM_CACHE, otherwise in the cache folder of the system', () => {
  expect(cacheDirectory({ OFFSTREAM_CACHE: '/large/disk' })).toBe('/large/disk')
  expect(cacheDirectory({ OFFSTREAM_CACHE: '' })).toMatch(/offstream/)
})

test('a relative path in OFFSTREAM_CACHE or SPARK_HOME is resolved against the working directory', async () => {
  expect(cacheDirectory({ OFFSTREAM_CACHE: 'cache' })).toBe(join(process.cwd(), 'cache'))
  const home = await scratchFolder('jars/spark-core_2.13-4.1.1.jar', 'jars/ivy-2.5.3.jar')
  const environment = { ...process.env, SPARK_HOME: relative(process.cwd(), home) }
  expect((await ensureSpark({ environment, ivySettings })).spark.home).toBe(home)
})

test.each([
  ['is empty', [], /does not contain `jars\/spark-core_\*\.jar`/],
  ['is an older Spark', ['jars/spark-core_2.12-3.5.1.jar'], /contains spark-core_2\.12-3\.5\.1\.jar/],
  ['lacks Ivy', ['jars/spark-core_2.13-4.1.1.jar'], /does not contain `jars\/ivy-\*\.jar`/],
])('a SPARK_HOME that %s is rejected before anything is fetched', async (_, files, message) => {
  const environment = { ...process.env, SPARK_HOME: await scratchFolder(...files) }
  await expect(ensureSpark({ environment, ivySettings })).rejects.toMatchObject({
    code: 'HOME_INVALID',
    outcome: 'prerequisite',
    message: expect.stringMatching(message),
  })
})

test('a complete SPARK_HOME is used', async () => {
  const home = await scratchFolder('jars/spark-core_2.13-4.1.1.jar', 'jars/ivy-2.5.3.jar')
  const environment = { ...process.env, SPARK_HOME: home, PYSPARK_PYTHON: '/my/python' }
  expect(await ensureSpark({ environment, ivySettings })).toMatchObject({
    spark: { home, python: '/my/python' },
    ivy: { jar: join(home, 'jars', 'ivy-2.5.3.jar') },
  })
})
