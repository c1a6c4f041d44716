import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { downloadFailed, ensureArtifact, type FetchOptions, type LockedFile, verifyFiles } from './store.ts'

/** Libraries from a Maven repository: what is requested, and every file that this resolves to. */
export interface JarSet {
  readonly name: string
  /**
   * `group:artifact:version`; resolved together, so that each library is fetched once. A fourth part names another jar of the
   * artifact, such as `tests`; it replaces the main jar, unless that is listed too.
   */
  readonly coordinates: readonly string[]
  /** `group:artifact` of libraries that the program has already. */
  readonly excludes: readonly string[]
  /** Whether the dependencies of the libraries are fetched too; default: true. */
  readonly transitive?: boolean
  readonly jars: readonly LockedFile[]
}

/** The Ivy that resolves: any Ivy 2.5 jar, run as a program. */
export interface Ivy {
  readonly java: string
  readonly jar: string
  /** An Ivy settings file; it names the repositories. */
  readonly settings: string
  /** The folder of Ivy's downloads; may be shared with other users of Ivy that have the same settings. */
  readonly cache: string
  /** The whole environment of its process. */
  readonly env: Readonly<Record<string, string>>
  /** Options of Java, such as the proxy with its password: other users could read them on the command line. */
  readonly javaOptions: readonly string[]
}

/**
 * Makes sure that the jars of the set are in `directory`, each verified against its pinned hash; downloads them if necessary.
 * @returns whether anything had to be downloaded
 * @throws OffstreamError DOWNLOAD_FAILED, CHECKSUM_MISMATCH, DISK_FULL
 */
export const ensureJars = async (
  set: JarSet,
  directory: string,
  ivy: Ivy,
  options: FetchOptions = {},
): Promise<boolean> => {
  const bytes = set.jars.reduce((sum, jar) => sum + jar.bytes, 0)
  return ensureArtifact(
    {
      name: set.name,
      directory,
      downloadBytes: bytes,
      // Ivy keeps one copy in its cache and writes another into the folder.
      installedBytes: bytes,
      fill: async ({ scratch }) => {
        await retrieve(set, directory, scratch, ivy, options.signal)
        await verifyFiles(set.name, directory, set.jars)
      },
    },
    options,
  )
}

/** Resolves the set and downloads its jars into `directory`, unverified: the lock file is made with it. */
export const retrieve = async (
  set: Omit<JarSet, 'jars'>,
  directory: string,
  scratch: string,
  { java, jar, settings, cache, env, javaOptions }: Ivy,
  signal?: AbortSignal,
): Promise<void> => {
  const moduleFile = join(scratch, 'ivy.xml')
  await writeFile(moduleFile, ivyModule(set))
  const options = ['-settings', settings, '-cache', cache, '-ivy', moduleFile]
  const pattern = join(directory, '[artifact]-[revision](-[classifier]).[ext]')
  const argumentFile = join(scratch, 'java.args')
  await writeFile(argumentFile, javaOptions.map(quoted).join('\n'), { mode: 0o600 })
  const { execa } = await import('execa')
  const run = await execa(
    java,
    [
      `@${argumentFile}`,
      ...['-jar', jar, ...options, '-confs', 'default', '-types', ...artifactTypes, '-retrieve', pattern],
    ],
    {
      ...{ env, extendEnv: false, reject: false, all: true, stdin: 'ignore' },
      ...(signal === undefined ? {} : { cancelSignal: signal }),
    },
  )
  signal?.throwIfAborted()
  if (run.failed) throw downloadFailed(set.name, 'Ivy', run.all, run)
}

/** How the Maven repository names jars: `test-jar` is one with test classes that another library uses. */
const artifactTypes = ['jar', 'bundle', 'test-jar']

/** @see https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#java-command-line-argument-files */
const quoted = (option: string): string => `"${option.replace(/[\\"]/g, '\\$&')}"`

/** @see https://ant.apache.org/ivy/history/2.5.3/ivyfile.html */
const ivyModule = ({ coordinates, excludes, transitive = true }: Omit<JarSet, 'jars'>): string => {
  const dependencies = [...classifiersOf(coordinates)].map(([library, classifiers]) => {
    const [org, name, rev] = library.split(':')
    const artifacts = classifiers.map(classifier =>
      classifier === null
        ? `<artifact name="${name}" type="jar"/>`
        : `<artifact name="${name}" type="jar" m:classifier="${classifier}"/>`,
    )
    return `    <dependency org="${org}" name="${name}" rev="${rev}" conf="default->default" transitive="${transitive}">${
      classifiers.every(classifier => classifier === null) ? '' : artifacts.join('')
    }</dependency>`
  })
  const exclusions = excludes.map(exclude => {
    const [org, name] = exclude.split(':')
    return `    <exclude org="${org}" module="${name}"/>`
  })
  return `<ivy-module version="2.0" xmlns:m="http://ant.apache.org/ivy/maven">
  <info organisation="offstream" module="jars"/>
  <configurations><conf name="default"/></configurations>
  <dependencies>
${[...dependencies, ...exclusions].join('\n')}
  </dependencies>
</ivy-module>
`
}

/** The jars of each library: the names after the version; null for the main one. */
const classifiersOf = (coordinates: readonly string[]): ReadonlyMap<string, readonly (string | null)[]> => {
  const found = new Map<string, (string | null)[]>()
  for (const coordinate of coordinates) {
    const [org, name, rev, classifier = null] = coordinate.split(':')
    const library = `${org}:${name}:${rev}`
    found.set(library, [...(found.get(library) ?? []), classifier])
  }
  return found
}
