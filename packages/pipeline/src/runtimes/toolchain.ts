import { access, constants, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PipelineError } from '../errors.ts'
import { type Environment, pathFolders, programEnvironment } from './environment.ts'

/** A program of this machine that offstream uses. */
export interface Tool {
  readonly path: string
  /** As it reports itself, such as `17.0.15` or `3.11.7`. */
  readonly version: string
  /** Why the one that the user names is not used, as a sentence. */
  readonly ignored?: string
}

/**
 * Spark 4.1 supports Java 17 and 21: its classes do not load in an older one, and from 23 on Hadoop fails because of
 * what Java has removed. @see https://github.com/apache/hadoop/pull/7081 (HADOOP-19212)
 */
export const oldestJava = 17
export const newestJava = 21
/** Spark 4.1's Python needs 3.10. */
export const oldestPython: readonly [number, number] = [3, 10]

/**
 * The Java to run everything with: the first of `JAVA_HOME` and the `PATH` that Spark supports, otherwise the first that
 * is only too new.
 * @throws OffstreamError JAVA_MISSING
 */
export const findJava = async (environment: Environment): Promise<Tool> => {
  const home = environment['JAVA_HOME'] ? resolve(environment['JAVA_HOME']) : null
  const ofHome = home === null ? null : await javaAt(join(home, 'bin', 'java'), environment)
  if (ofHome !== null && isSupported(ofHome)) return ofHome
  const ofPath: Tool[] = []
  for (const path of await programsNamed('java', environment)) {
    const java = await javaAt(path, environment)
    if (java === null) continue
    ofPath.push(java)
    if (isSupported(java)) break
  }
  const found = ofHome === null ? ofPath : [ofHome, ...ofPath]
  const java = ofPath.find(isSupported) ?? found.find(({ version }) => majorOf(version) >= oldestJava)
  if (java === undefined) throw javaMissing(home, found)
  return home === null || java === ofHome ? java : { ...java, ignored: reasonToIgnore(home, ofHome) }
}

const javaAt = async (path: string, environment: Environment): Promise<Tool | null> => {
  const { execa } = await import('execa')
  // It writes to standard error: `openjdk version "17.0.15" 2025-04-15`, and the folder that it runs from.
  const { stderr } = await execa(path, ['-XshowSettings:properties', '-version'], {
    ...{ env: programEnvironment(environment), extendEnv: false, reject: false, stdin: 'ignore' },
  })
  const version = /version "([\d._]+)/.exec(stderr ?? '')?.[1]
  if (version === undefined) return null
  // `java` of the PATH may be a script (jenv, asdf) that runs another Java in each folder.
  const home = /^\s*java\.home = (.+)$/m.exec(stderr ?? '')?.[1]
  return { path: home === undefined ? path : join(home, 'bin', 'java'), version }
}

const majorOf = (version: string): number => Number.parseInt(version, 10)

const isSupported = ({ version }: Tool): boolean =>
  majorOf(version) >= oldestJava && majorOf(version) <= newestJava

const reasonToIgnore = (home: string, java: Tool | null): string =>
  java === null
    ? `JAVA_HOME is \`${home}\`, which does not contain a working Java`
    : `JAVA_HOME is \`${home}\`, which is Java ${java.version}`

const javaMissing = (home: string | null, found: readonly Tool[]): Error =>
  new PipelineError(
    'JAVA_MISSING',
    [
      'Java 17 or newer was not found',
      ...(home !== null && found.every(({ path }) => !path.startsWith(home))
        ? [reasonToIgnore(home, null)]
        : []),
      ...found.map(({ path, version }) => `\`${path}\` is Java ${version}`),
    ].join('; '),
    {
      hint: 'install it (Debian, Ubuntu: `sudo apt-get install openjdk-17-jre-headless`; macOS: `brew install openjdk@17`), or set JAVA_HOME',
    },
  )

const pythonNames = [
  ...['python3', 'python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'],
]

/**
 * The Python to make the virtual environment with: the first of the usual names on the `PATH` that is 3.10 or newer.
 * @throws OffstreamError PYTHON_MISSING
 */
export const findPython = async (environment: Environment): Promise<Tool> => {
  const found: string[] = []
  for (const name of pythonNames) {
    const [path] = await programsNamed(name, environment)
    const python = path === undefined ? null : await pythonAt(path, environment)
    if (python === null) continue
    const [major = 0, minor = 0] = python.version.split('.').map(Number)
    if (major === oldestPython[0] && minor >= oldestPython[1]) return python
    found.push(`\`${python.path}\` is Python ${python.version}`)
  }
  throw new PipelineError('PYTHON_MISSING', ['Python 3.10 or newer was not found', ...found].join('; '), {
    hint: 'install it (Debian, Ubuntu: `sudo apt-get install python3 python3-venv`; macOS: `brew install python`)',
  })
}

const pythonAt = async (path: string, environment: Environment): Promise<Tool | null> => {
  const { execa } = await import('execa')
  const { stdout } = await execa(
    path,
    // `-I`: a `sys.py` in the working folder is not loaded. A name such as `python3` may be a script (pyenv).
    ['-I', '-S', '-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3]); print(sys.executable)'],
    { ...{ env: programEnvironment(environment), extendEnv: false, reject: false, stdin: 'ignore' } },
  )
  const [version, executable] = (stdout ?? '').split('\n')
  return version !== undefined && /^\d+\.\d+\.\d+$/.test(version)
    ? { path: executable || path, version }
    : null
}

/** The programs of this name on the `PATH`, in its order. */
const programsNamed = async (name: string, environment: Environment): Promise<string[]> => {
  const paths = pathFolders(environment).map(folder => join(folder, name))
  const isThere = await Promise.all(paths.map(isProgram))
  return [...new Set(paths.filter((_, index) => isThere[index]))]
}

const isProgram = async (path: string): Promise<boolean> => {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
