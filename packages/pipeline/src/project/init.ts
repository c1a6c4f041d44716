import { constants } from 'node:fs'
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import { messageOf } from '@offstream/runtime'
import { PipelineError } from '../errors.ts'
import type { TemplateName } from '../names.ts'
import { shippedPath } from './assets.ts'
import { requireSupportedPath } from './supportedPath.ts'

/** What the user chooses for a new project. */
export interface InitOptions {
  /** Created if it does not exist; existing files are not changed. */
  readonly folder: string
  /** The value of `web.contact`; null: not set. */
  readonly contact: string | null
  /** Whether to omit copies of views, templates, charts and Spark programs; then those of offstream are used. */
  readonly bare: boolean
  /** The project for another subject to start; without it, that of the products. */
  readonly template?: TemplateName
}

/** What `initProject` has created. */
export interface NewProject {
  readonly folder: string
  /** Written files, relative to the folder. */
  readonly files: readonly string[]
  /** Optional files that existed already and were not changed. */
  readonly unchanged: readonly string[]
}

/**
 * Writes a project: `offstream.yaml` with every setting and its default, and the files of a template, or the workbook and,
 * unless it is bare, a copy of every file that a project can replace. After an error all of them are removed.
 *
 * @throws OffstreamError PROJECT_EXISTS if one of the files exists, PROJECT_UNWRITABLE, PATH_UNSUPPORTED
 */
export const initProject = async (options: InitOptions): Promise<NewProject> => {
  const { folder, contact } = options
  requireSupportedPath(resolve(folder))
  const { 'README.md': text, ...own } = await filesOf(options)
  const optional = { '.gitignore': gitignore, 'README.md': text ?? '' }
  const required = {
    'offstream.yaml': settingsFile(await shipped('config', 'offstream.yaml'), contact),
    [schemaFile]: await shipped(schemaFile),
    ...own,
  }
  await refuseExisting(folder, Object.keys(required))
  const unchanged = await existing(folder, Object.keys(optional))
  const files = Object.entries({ ...required, ...optional }).filter(([file]) => !unchanged.includes(file))
  await writeAll(folder, files)
  return { folder, files: files.map(([file]) => file).sort(), unchanged }
}

/** The content of the files that differ between kinds of projects, by path. */
const filesOf = async ({ bare, template }: InitOptions): Promise<Record<string, string>> => {
  if (template !== undefined) return filesBelow(shippedPath('config', 'templates', template))
  const own = bare ? { 'README.md': readmeOfBare } : { 'README.md': readme, ...(await copies()) }
  return { [workbook]: await shipped(workbook), ...own }
}

const filesBelow = async (folder: string): Promise<Record<string, string>> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  // What Python and `offstream charts` write if the template itself is used.
  const belonging = paths.filter(path => !/__pycache__|\.svg$/.test(path))
  return Object.fromEntries(
    await Promise.all(
      belonging.map(async path => [relative(folder, path), await readFile(path, 'utf8')] as const),
    ),
  )
}

const workbook = 'Data-viz.twb'
const schemaFile = 'config/offstream.schema.json'

const shipped = (...names: readonly string[]): Promise<string> => readFile(shippedPath(...names), 'utf8')

/** In the repository the settings are beside their schema, in a project they are one folder above. */
const settingsFile = (yaml: string, contact: string | null): string => {
  const own = yaml.replace('$schema=offstream.schema.json', `$schema=${schemaFile}`)
  // A JSON string is a YAML string.
  return contact === null
    ? own
    : own.replace(/# contact: null( *)/, (_, space: string) => `contact: ${JSON.stringify(contact)}${space}`)
}

/** The files that `assetPath` looks for in a project; not tests and documents of the repository. */
const copied = [
  { folder: 'config', belongs: (name: string) => /\.(properties|sql|xml)$/.test(name) },
  { folder: 'charts', belongs: (name: string) => /\.(sql|json)$/.test(name) },
  // `job.py` belongs to offstream: it always runs the installed one.
  { folder: 'spark-jobs', belongs: (name: string) => /(?<!^job)\.(py|java)$/.test(name) },
  { folder: 'spark-jobs/offstream_jobs', belongs: (name: string) => name.endsWith('.py') },
]

const copies = async (): Promise<Record<string, string>> => {
  const files = copied.map(async ({ folder, belongs }) => {
    const names = (await readdir(shippedPath(folder))).filter(belongs)
    return Promise.all(names.map(async name => [join(folder, name), await shipped(folder, name)] as const))
  })
  return Object.fromEntries((await Promise.all(files)).flat())
}

const existing = async (folder: string, files: readonly string[]): Promise<string[]> => {
  const there = await Promise.all(
    files.map(file =>
      access(join(folder, file), constants.F_OK).then(
        () => true,
        () => false,
      ),
    ),
  )
  return files.filter((_, index) => there[index])
}

const refuseExisting = async (folder: string, files: readonly string[]): Promise<void> => {
  const [first, ...others] = await existing(folder, files)
  if (first === undefined) return
  const more = others.length === 0 ? '' : ` and ${others.length} more files that \`init\` would write`
  throw new PipelineError('PROJECT_EXISTS', `\`${folder}\` already has \`${first}\`${more}`, {
    hint: 'choose another folder (`offstream init <folder>`), or move the existing files',
  })
}

const writeAll = async (folder: string, files: readonly (readonly [string, string])[]): Promise<void> => {
  const created: string[] = []
  try {
    for (const [file, text] of files) {
      const path = join(folder, file)
      const topmost = await mkdir(dirname(path), { recursive: true })
      if (topmost !== undefined) created.push(topmost)
      // With `wx` a file that was created meanwhile is not overwritten.
      await writeFile(path, text, { flag: 'wx' })
      created.push(path)
    }
  } catch (error) {
    await Promise.all(created.map(path => rm(path, { recursive: true, force: true })))
    throw new PipelineError(
      'PROJECT_UNWRITABLE',
      `Could not write a project to \`${folder}\`: ${messageOf(error)}`,
      {
        hint: 'choose a folder that you can write to: `offstream init <folder>`',
        cause: error,
      },
    )
  }
}

const gitignore = `# Data, logs and process ids of offstream
.offstream/
# Reports of \`offstream report\`; they can contain more than you want to share
offstream-report-*.md
node_modules/
`

const introduction = `# A project of offstream

Food products, from web pages into a table that you can query with SQL: Kafka, Spark and a SQL server on this machine,
started and stopped by one command.

\`\`\`sh
npx offstream doctor                # check the requirements
npx offstream demo                  # the whole pipeline once, with generated products
npx offstream scrape --limit 20     # real products, from Open Food Facts
npx offstream query "SELECT product_name, nutriscore_grade FROM Products LIMIT 5"
npx offstream down                  # stop everything; the products stay
\`\`\`

| file | content |
|---|---|
| \`offstream.yaml\` | every setting with its default; \`npx offstream config show --sources\` shows the current values |
| \`Data-viz.twb\` | a Tableau workbook that reads the table on port 10000 |
`

const licence = `
The data of Open Food Facts is under the Open Database License: name Open Food Facts as the source, and share alike.
`

const readmeOfBare = `${introduction}
This project uses the views, charts and Spark programs of offstream. To change one, run \`npx offstream init\` in another
folder and copy the file from there: files in \`config/\`, \`charts/\` and \`spark-jobs/\` replace those of offstream.
${licence}`

const readme = `${introduction}| \`config/views.sql\` | the views of the SQL server, such as \`Products\` |
| \`config/*.properties\` | configuration of ZooKeeper, Kafka and the logs; offstream fills in \`{{…}}\` at each start |
| \`charts/\` | a chart is a query (\`.sql\`) and a Vega-Lite specification (\`.json\`); \`npx offstream charts\` renders all |
| \`spark-jobs/\` | \`stream.py\`, the job from the topic to the table, and \`thrift_server.py\`, the SQL server |

You can change all of them. Delete what you do not change: without a file of \`config/\`, or without the folder
\`charts/\` or \`spark-jobs/\`, the project uses that of the installed version of offstream.
${licence}`
