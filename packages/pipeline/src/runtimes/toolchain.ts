import { join } from 'node:path'
import { PipelineError } from '../errors.ts'

/** A program that must be on the machine already, and which one it is. */
export interface Tool {
  readonly path: string
  /** As it tells itself, such as `17.0.15` or `3.11.7`. */
  readonly version: string
}

/**
 * Spark 4.1 is made for Java 17 and 21: its classes do not load in anything older, and from 23 on Hadoop, a part of it,
 * falls over what Java has taken away. @see https://github.com/apache/hadoop/pull/7081 (HADOOP-19212)
 */
export const oldestJava = 17
export const newestJava = 21
/** Spark 4.1's Python needs 3.10. */
export const oldestPython: readonly [number, number] = [3, 10]

/**
 * The Java to run everything with: `JAVA_HOME`, else `java` of the path.
 * @throws OffstreamError JAVA_MISSING
 */
export const findJava = async (environment: Readonly<Record<string, string | undefined>>): Promise<Tool> => {
  const { execa } = await import('execa')
  const home = environment['JAVA_HOME']
  const candidates = [...(home ? [join(home, 'bin', 'java')] : []), 'java']
  const found: string[] = []
  for (const path of candidates) {
    // `-version` writes to standard error: openjdk version "17.0.15" 2025-04-15
    const { stderr } = await execa(path, ['-version'], { reject: false, stdin: 'ignore' })
    const version = /version "([\d._]+)/.exec(stderr ?? '')?.[1]
    if (version === undefined) continue
    if (Number(version.split('.')[0]) >= oldestJava) return { path, version }
    found.push(`\`${path}\` is Java ${version}`)
  }
  throw new PipelineError('JAVA_MISSING', ['Java 17 or newer was not found', ...found].join('; '), {
    hint: 'install it (Debian, Ubuntu: `sudo apt-get install openjdk-17-jre-headless`; macOS: `brew install openjdk@17`), or set JAVA_HOME',
  })
}

/**
 * The Python to make the virtual environment with: the newest `python3.x` of the path that is not older than 3.10.
 * @throws OffstreamError PYTHON_MISSING
 */
export const findPython = async (): Promise<Tool> => {
  const { execa } = await import('execa')
  const found: string[] = []
  for (const path of [
    'python3',
    'python3.14',
    'python3.13',
    'python3.12',
    'python3.11',
    'python3.10',
    'python',
  ]) {
    const { stdout } = await execa(path, ['--version'], { reject: false, stdin: 'ignore' })
    const version = /^Python ([\d.]+)/.exec(stdout ?? '')?.[1]
    if (version === undefined) continue
    const [major = 0, minor = 0] = version.split('.').map(Number)
    if (major === oldestPython[0] && minor >= oldestPython[1]) return { path, version }
    found.push(`\`${path}\` is Python ${version}`)
  }
  throw new PipelineError('PYTHON_MISSING', ['Python 3.10 or newer was not found', ...found].join('; '), {
    hint: 'install it (Debian, Ubuntu: `sudo apt-get install python3 python3-venv`; macOS: `brew install python`)',
  })
}
