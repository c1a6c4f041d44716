import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { assetPath } from '../project/assets.ts'
import { javaEnvironment } from '../runtimes/environment.ts'
import { fastStart } from './java.ts'
import type { Stack } from './stack.ts'

/** It takes a second. */
const timeoutMs = 60_000

/**
 * Compiles a class of `spark-jobs/token` for a library that loads it by its name, and writes it to a jar. It uses the compiler
 * that Spark includes, because a JRE does not have one.
 */
export const writeClassJar = async (
  { runtimes, project }: Pick<Stack, 'runtimes' | 'project'>,
  name: string,
  jar: string,
): Promise<void> => {
  const folder = dirname(jar)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { execa } = await import('execa')
  const [program, source] = ['ClassJar', name].map(file =>
    assetPath(project, 'spark-jobs', join('token', `${file}.java`)),
  )
  const classPath = [join(runtimes.sparkHome, 'jars', '*'), join(runtimes.connectors, '*')].join(delimiter)
  // Running programs may read the jar now, and services that start at the same moment write it too.
  const written = `${jar}.${randomUUID()}`
  try {
    await execa(
      runtimes.java,
      [
        ...[...fastStart, '-cp', classPath, 'org.codehaus.janino.SimpleCompiler'],
        ...[program ?? '', 'offstream.ClassJar', source ?? '', written],
      ],
      { env: javaEnvironment(folder), extendEnv: false, cwd: folder, stdin: 'ignore', timeout: timeoutMs },
    )
    await rename(written, jar)
  } finally {
    await rm(written, { force: true })
  }
}
