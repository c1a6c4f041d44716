import { readdir } from 'node:fs/promises'
import { arch, homedir, hostname, release, userInfo } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { lastLines, messageOf } from '@offstream/runtime'
import { replaceControls } from '@offstream/runtime/controls'
import { logFileOf } from '../logs/logs.ts'
import { logNames } from '../names.ts'
import { settingsOf } from '../project/paths.ts'
import type { Project } from '../project/project.ts'
import { entryOf } from '../project/sparkSettings.ts'
import { listRuntimes } from '../runtimes/cache.ts'
import { versions } from '../runtimes/distributions.ts'
import { readJobs } from '../services/jobStore.ts'
import { clusterOf } from '../services/kafkaCluster.ts'
import { lakeSecrets } from '../services/lakeCatalog.ts'
import { workerIds, workFolder } from '../services/sparkCluster.ts'
import { thriftOf } from '../services/thriftServer.ts'
import { ownPids, readServices } from '../stack/running.ts'
import { readStatus } from '../stack/status.ts'
import { configuredCluster, passwordOf } from '../topic/cluster.ts'
import { examine } from './doctor.ts'
import { type Known, Redaction, removed, secretValues } from './redaction.ts'

/** What a report is about. */
export interface ReportOptions {
  readonly project: Project
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The version of offstream. */
  readonly version: string
  readonly at: Date
  /** The names of user and machine; default: those of this process. */
  readonly known?: Omit<Known, 'secrets'>
}

/** A report for the maintainers of offstream: one Markdown text that users can read before they share it. */
export interface Report {
  readonly text: string
  readonly sections: readonly { readonly title: string; readonly lines: number }[]
  /** How many values were removed. */
  readonly removals: number
}

/** Of each log: enough for the cause of an error, and few enough to read. */
const logLines = 200
/** Characters of a line; the rest of a longer one is omitted. */
const maxLineLength = 2_000

/**
 * Collects what a maintainer needs: versions, machine, settings with their origins, status and the ends of the logs.
 * Secrets and names are removed. If a part cannot be read, the report contains the error instead.
 */
export const makeReport = async (options: ReportOptions): Promise<Report> => {
  const { version, at } = options
  const redaction = await redactionFor(options)
  const bodies = [...findings(options), ...(await logs(options.project.state))].map(
    async ({ title, read }) => {
      const body = await read().catch(error => `This cannot be read: ${messageOf(error)}`)
      return { title, body: redaction.apply(withoutControls(body)) }
    },
  )
  const sections = await Promise.all(bodies)
  const head = `# Report of offstream ${version}, ${at.toISOString()}

${redaction.count} values were removed (\`${removed}\`): passwords, tokens, contacts and other secrets, by name and by form, and the names of
the user and the machine. Other secrets may remain: read the report before you share it.`
  const parts = sections.map(({ title, body }) => `## ${title}\n\n${body}`)
  return {
    text: `${[head, ...parts].join('\n\n')}\n`,
    sections: sections.map(({ title, body }) => ({ title, lines: body.split('\n').length })),
    removals: redaction.count,
  }
}

interface Section {
  readonly title: string
  readonly read: () => Promise<string>
}

const findings = ({ project, environment, version }: ReportOptions): readonly Section[] => {
  const { config, directory, state } = project
  return [
    {
      title: 'Versions',
      read: async () =>
        table(
          ['what', 'version'],
          [
            ['offstream', version],
            ['Node', process.versions.node],
            ['system', `${process.platform} ${release()} ${arch()}`],
            ...Object.entries(versions),
          ],
        ),
    },
    {
      title: 'Machine (`offstream doctor`)',
      read: async () => {
        const found = await examine({ config, environment, directory, state, ours: ownPids(state) })
        return table(
          ['what', '', 'found'],
          found.map(({ name, verdict, found }) => [name, verdict, found]),
        )
      },
    },
    { title: 'Settings (`offstream config show --sources`)', read: async () => settingsTable(project) },
    { title: 'Environment', read: async () => environmentTable(environment) },
    {
      title: 'Runtimes (`offstream runtime list`)',
      read: async () => {
        const { runtimes, own } = await listRuntimes(environment)
        return table(
          ['what', '', 'folder'],
          [
            ...runtimes.map(({ what, use, path }) => [what, use, path]),
            ...own.map(({ variable, path }) => [variable, 'yours', path]),
          ],
        )
      },
    },
    {
      title: 'Status (`offstream status --json`)',
      read: async () =>
        fenced(JSON.stringify(await readStatus(state, config, await readServices(state)), null, 2)),
    },
  ]
}

const settingsTable = ({ config, origins }: Project): string =>
  table(
    ['setting', 'value', 'from'],
    [...settingsOf(config)].map(([path, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value)
      const secret = value !== null && secretValues([[path, text]]).length > 0
      return [path, secret ? removed : text, origins.get(path)?.place ?? '']
    }),
  )

/** Variables that change what offstream or its services do. */
const relevantName =
  /^(OFFSTREAM|SPARK|PYSPARK|KAFKA|JAVA|JDK|_JAVA|PIP|NODE|LC)_|^(LANG|TZ|TERM|CI|NO_COLOR|DISPLAY|(HTTPS?|NO|ALL)_PROXY)$/i

const environmentTable = (environment: ReportOptions['environment']): string =>
  table(
    ['variable', 'value'],
    Object.entries(environment)
      .filter(([name]) => relevantName.test(name))
      .sort()
      .map(([name, value]) => [name, secretValues([[name, value]]).length > 0 ? removed : (value ?? '')]),
  )

const logs = async (state: string): Promise<readonly Section[]> => {
  const jobs = (await readJobs(state)).map(({ name }) => name)
  const ofServices = [...logNames, ...jobs].map(name => ({ name, file: logFileOf(state, name) }))
  const all = [...ofServices, ...(await executorLogs(state))]
  return all.map(({ name, file }) => ({
    title: `Log of ${name}, last ${logLines} lines`,
    read: async () => {
      const lines = await lastLines(file, logLines)
      return lines.length === 0 ? 'The log does not exist.' : fenced(lines.map(shortened).join('\n'))
    },
  }))
}

/** The logs of the newest job's executors, which are not in the log of a service. */
const executorLogs = async (state: string): Promise<{ readonly name: string; readonly file: string }[]> => {
  const folders = workerIds.map(id => workFolder(state, id))
  // The name of a job's folder starts with the time of its start, and is the same in each worker.
  const newest = (await Promise.all(folders.map(namesIn))).flat().toSorted().at(-1)
  if (newest === undefined) return []
  const logs = folders.map(async folder => {
    const ids = await namesIn(join(folder, newest))
    return ids.map(id => ({ name: `executor ${id}`, file: join(folder, newest, id, 'stderr') }))
  })
  return (await Promise.all(logs)).flat()
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])

const redactionFor = async ({ project, environment, known }: ReportOptions): Promise<Redaction> => {
  const settings = [...settingsOf(project.config)].filter(([, value]) => value !== null)
  return new Redaction({
    ...(known ?? { home: homedir(), user: userInfo().username, host: hostname() }),
    secrets: [
      ...secretValues([
        ...settings,
        ...project.config.spark.conf.map(entryOf),
        ...Object.entries(environment),
      ]),
      ...(await passwords(project, environment)),
    ],
  })
}

/** The secrets of Kafka, of the Thrift server and of the catalog, whatever their variables are called. */
const passwords = async (
  { config, directory, state }: Project,
  environment: ReportOptions['environment'],
): Promise<string[]> => {
  const found = await Promise.allSettled([
    clusterOf(config, state, environment).then(passwordOf),
    (async () => passwordOf(configuredCluster(config.topic, { directory, environment })))(),
    thriftOf(config, state, environment).then(({ login }) => login?.password ?? null),
  ])
  const ofLake = await lakeSecrets(config, state, environment)
  const ofServers = found.flatMap(result =>
    // A password that cannot be found is not in the report either.
    result.status === 'fulfilled' ? (result.value ?? []) : [],
  )
  return [...ofServers, ...ofLake]
}

const shortened = (line: string): string =>
  line.length <= maxLineLength
    ? line
    : `${line.slice(0, maxLineLength)} … and ${line.length - maxLineLength} more characters`

/** Removes colours, cursor movements and other control characters; tabs and line ends stay. */
const withoutControls = (text: string): string =>
  replaceControls(stripVTControlCharacters(text), { by: '', kept: '\t\n' })

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows]
    .map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`)
    .join('\n')

/** A code block for any text, also with back-ticks in it. */
const fenced = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text}\n${fence}`
}
